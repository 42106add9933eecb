/** Finds what each entry of the matrix boots: image, kernel and, where it needs one, initrd. */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { rootImage } from './root-image.mjs';

const debianKernel = 'linux-image-cloud-amd64';

/** Why an entry cannot run here, or undefined. */
export const reasonToSkip = ({ kernel }, project) => {
  if (kernel.file === undefined || existsSync(resolve(project, kernel.file))) return undefined;
  return `there is no ${kernel.file}, counted from the project`;
};

/**
 * What an entry boots. A kernel that is a file gets the root of the release, and with it the image that the
 * kernel of the release has, too.
 */
export const bootFilesOf = async ({ suite, kernel }, project, print) => {
  const files = await rootImage(suite, { package: debianKernel, ...kernel }, print);
  return kernel.file === undefined ? files : { image: files.image, kernel: resolve(project, kernel.file) };
};
