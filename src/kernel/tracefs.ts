import { readFileSync, statfsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { errnoOf, MmaplockError, messageOf } from '../errors.js';

/** A field of a tracepoint, as its format file has it. */
export interface TracepointField {
  readonly name: string;
  /** The C type; an array keeps its brackets (`char[16]`, `__data_loc char[]`). */
  readonly type: string;
  /** Bytes from the start of the record, the common fields included. */
  readonly offset: number;
  /** Bytes. */
  readonly size: number;
  readonly signed: boolean;
}

/** The format of a tracepoint. */
export interface TracepointFormat {
  readonly id: number;
  /** The common_* fields first. */
  readonly fields: readonly TracepointField[];
}

/** TRACEFS_MAGIC, include/uapi/linux/magic.h. */
const tracefsMagic = 0x74726163;

/** Where tracefs is mounted: its own place since 4.1, else below debugfs. */
const places = ['kernel/tracing', 'kernel/debug/tracing'];

/**
 * The directory of tracefs.
 *
 * @param sys the mount point of sysfs
 * @throws MmaplockError tracefs_missing, tracefs_unreadable, and kernel_lockdown where it is mounted and empty: a
 *   kernel that is locked down from its boot makes no file in it (tracefs_create_file(), fs/tracefs/inode.c, 5.4)
 */
export function findTracefs(sys = '/sys'): string {
  for (const place of places) {
    const directory = join(sys, place);
    try {
      statSync(join(directory, 'events'));
      return directory;
    } catch (error) {
      // ENOENT: nothing is mounted there, or the directory itself is absent.
      if (errnoOf(error) !== 'ENOENT') throw unreadable(directory, error);
      if (isTracefs(directory))
        throw new MmaplockError('kernel_lockdown', `${directory} is tracefs, and empty`, {
          field: directory,
        });
    }
  }
  throw new MmaplockError(
    'tracefs_missing',
    `tracefs is not mounted: ${join(sys, places[0]!)} has no events`,
  );
}

const isTracefs = (directory: string): boolean => {
  try {
    return statfsSync(directory).type === tracefsMagic;
  } catch {
    return false;
  }
};

/**
 * The format of a tracepoint; undefined when this kernel does not have it.
 *
 * @param tracefs what findTracefs() returned
 * @throws MmaplockError tracefs_unreadable
 */
export function readTracepoint(
  category: string,
  name: string,
  tracefs: string,
): TracepointFormat | undefined {
  const path = join(tracefs, 'events', category, name, 'format');
  try {
    return parseFormat(readFileSync(path, 'latin1'));
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw unreadable(path, error);
  }
}

/** Parses a format file: see "Event formats" in Documentation/trace/events.rst. */
export function parseFormat(text: string): TracepointFormat {
  const id = /^ID: (\d+)$/m.exec(text)?.[1];
  if (id === undefined) throw new Error('the format file has no ID');
  const fields: TracepointField[] = [];
  for (const match of text.matchAll(/^\tfield:(.+);\toffset:(\d+);\tsize:(\d+);\tsigned:([01]);$/gm)) {
    const [, declaration, offset, size, signed] = match;
    fields.push({
      ...parseDeclaration(declaration!),
      offset: Number(offset),
      size: Number(size),
      signed: signed === '1',
    });
  }
  return { id: Number(id), fields };
}

/** `char comm[16]`, `__data_loc char[] path`, `const char * filename`, `struct mm_struct *mm`. */
function parseDeclaration(declaration: string): { name: string; type: string } {
  const match = /^(.*?)([A-Za-z_]\w*)(\[[^\]]*\])?$/.exec(declaration);
  if (match === null) return { name: declaration, type: '' };
  const [, type, name, brackets] = match;
  return { name: name!, type: `${type!.trim()}${brackets ?? ''}` };
}

const unreadable = (path: string, cause: unknown): MmaplockError =>
  new MmaplockError('tracefs_unreadable', `${path}: ${messageOf(cause)}`, { field: path, cause });
