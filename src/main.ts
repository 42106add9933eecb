#!/usr/bin/env node
/** The command line: which command, and for `run` the life of the process from its first look to its last word. */
import './node/no-inspector.js';
import './node/small-heap.js';
import { type ParsedArguments, parseArguments } from './cli/arguments.js';
import { check } from './cli/check/check.js';
import { demo } from './cli/demo/demo.js';
import { dumpProgram } from './cli/dump-program.js';
import { helpText } from './cli/help.js';
import { record } from './cli/record/record.js';
import { supportBundle } from './cli/support-bundle/support-bundle.js';
import { top } from './cli/top/top.js';
import { systemClock } from './clock.js';
import { loadConfig } from './config/load.js';
import { changedSettings } from './config/reload.js';
import type { Config } from './config/schema.js';
import { version } from './config/version.js';
import { type Daemon, startDaemon } from './daemon/start.js';
import { codedError } from './errors.js';
import { checkWebConfig } from './http/listen/web-config.js';
import { createLog, type Log } from './log/log.js';
import { claimHost } from './survey/single-instance.js';
import { managerFor } from './systemd/manager-for.js';

const main = async (argv: readonly string[]): Promise<number> => {
  const parsed = parseArguments(argv);
  switch (parsed.command) {
    case 'help':
      process.stdout.write(helpText(parsed.topic));
      return 0;
    case 'version':
      process.stdout.write(`mmaplockd ${version}\n`);
      return 0;
    case 'check':
      return check(configOf(parsed), { json: parsed.json, clock: systemClock });
    case 'dump-program':
      return dumpProgram(configOf(parsed), parsed);
    case 'record':
      return record(configOf(parsed), parsed, systemClock, startDaemon);
    case 'support-bundle':
      return supportBundle(configOf(parsed), parsed, systemClock, startDaemon);
    case 'top':
      return top(configOf(parsed), parsed, systemClock);
    case 'demo':
      return demo(configOf(parsed), parsed.seconds, systemClock, startDaemon);
    case 'run':
      return run(() => configOf(parsed), parsed.configCheck);
  }
};

const run = async (readConfig: () => Config, checkOnly: boolean): Promise<number> => {
  const config = readConfig();
  if (checkOnly) {
    checkWebConfig(config.web.config_file);
    process.stdout.write('The configuration is valid.\n');
    return 0;
  }
  const log = createLog(config.log);
  const manager = managerFor(process, systemClock, log);

  // One daemon a host is enough, and a second one would double what the first costs.
  await claimHost(config, log);

  // Whoever starts it may want it ended before it serves, and a tracer may run by then.
  const end = terminated();
  // It ends a process that does not listen to it, as does `systemctl reload` one that still starts.
  process.on('SIGHUP', () => reload(config, readConfig, log));

  // From here on the daemon lives, whether or not this host lets it see anything.
  const daemon = await startDaemon(config, log, systemClock);
  log.info({ version, urls: daemon.urls.join(' ') }, 'serving');
  introduce(daemon);

  manager.ready(daemon.view.readiness);
  const signal = await end;
  log.info({ signal }, 'ending');
  await Promise.all([manager.stopping(), daemon.stop()]);
  return 0;
};

/** Takes over what can change live; a configuration that is not valid changes nothing. */
const reload = (config: Config, readConfig: () => Config, log: Log): void => {
  try {
    const changed = readConfig();
    const { live, restart } = changedSettings(config, changed);
    log.level = changed.log.level;
    log.warn(
      { changed: live.join(' '), need_a_new_start: restart.join(' ') },
      'the configuration was read again',
    );
  } catch (error) {
    log.error({ err: error }, 'the configuration was read again and is not valid; the old one stays');
  }
};

/** On a terminal, says in plain words what is observed and where to look. */
const introduce = ({ view, urls }: Daemon): void => {
  if (!process.stdout.isTTY) return;
  const { waits, opens, blocks } = view.plan().observables;
  const [url] = urls;
  process.stdout.write(
    [
      '',
      waits.observed
        ? `Observing who waits for mmap_lock on this host (Linux ${view.kernel.release}), in which mode, doing what.`
        : `Nothing can be observed on this host: ${waits.reason?.detail ?? 'reason unknown'}.`,
      `  who waits     ${url}/api/v1/processes`,
      `  doing what    ${url}/api/v1/waits`,
      ...(opens.observed ? [`  who reads     ${url}/api/v1/readers`] : []),
      ...(blocks.observed ? [`  who blocks    ${url}/api/v1/blocks`] : []),
      `  for Grafana   ${url}/metrics`,
      `  is it whole?  ${url}/-/ready`,
      'Ctrl-C ends it.',
      '',
      '',
    ].join('\n'),
  );
};

const configOf = (parsed: Extract<ParsedArguments, { configFile: unknown }>): Config =>
  loadConfig({ flags: parsed.flags, env: process.env, file: parsed.configFile });

/** The handlers stay: a second signal must not cut the orderly end short and leave the tracer to be killed. */
const terminated = (): Promise<NodeJS.Signals> =>
  new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, resolve);
  });

// Whoever reads what a command prints may have seen enough, as `head` has.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit();
});

main(process.argv.slice(2)).then(
  (code) => {
    process.exitCode = code;
  },
  (error: unknown) => {
    const coded = codedError(error);
    process.stderr.write(`mmaplockd: ${coded.code}: ${coded.message}\n  ${coded.fix}\n`);
    if (coded.code === 'internal_error' && error instanceof Error) process.stderr.write(`${error.stack}\n`);
    process.exitCode = 1;
  },
);
