/** Chromium without a window. */
import { type Browser, chromium, type Page } from 'playwright-core';

export interface OpenPage {
  readonly page: Page;
  /** Errors and warnings of the console, and what was thrown and not caught. */
  readonly complaints: readonly string[];
  /** Of all that it asked for. */
  readonly origins: readonly string[];
}

export interface PageOptions {
  readonly colorScheme?: 'light' | 'dark';
  readonly width?: number;
  readonly height?: number;
}

export interface RunningBrowser {
  /** With a profile, and connections, of its own: pages of one profile share six to a host. */
  open(url: string, options?: PageOptions): Promise<OpenPage>;
  close(): Promise<void>;
}

export const openBrowser = async (): Promise<RunningBrowser> => {
  // Root has no sandbox of its own; the page is ours.
  const browser: Browser = await chromium.launch({
    executablePath: '/usr/bin/chromium',
    args: ['--no-sandbox'],
  });
  const openIn = async (
    context: Pick<Browser, 'newPage'>,
    url: string,
    { colorScheme = 'light', width = 1200, height = 1000 }: PageOptions,
  ): Promise<OpenPage> => {
    const page = await context.newPage({ colorScheme, viewport: { width, height } });
    const [complaints, origins]: [string[], string[]] = [[], []];
    page.on('console', (message) => {
      if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
    });
    page.on('pageerror', (error) => complaints.push(error.message));
    page.on('request', (request) => origins.push(new URL(request.url()).origin));
    await page.goto(url);
    return { page, complaints, origins };
  };
  return {
    // A page of Browser.newPage() has a context of its own.
    open: (url, options = {}) => openIn(browser, url, options),
    close: () => browser.close(),
  };
};
