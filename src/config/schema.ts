/**
 * Every setting of the daemon. A key added here is at once a YAML key, an environment variable, a flag and a
 * line of `--help`: settings.ts derives them all.
 *
 * `default` is the value when no source gives one. `accepts` says in words what a refinement allows; for
 * types that explain themselves (enumerations, numbers, booleans) it is derived. `flag` is the name of the flag where
 * it is not the path of the key.
 */
import { type Static, Type } from 'typebox';
import { isHost, parseListenAddress } from './address.js';
import { costSettings } from './cost-settings.js';
import { isVictimName, victimNames } from './victim-name.js';

/** The ways to attach a probe that the plan may choose from, cheapest to reach first. */
export const probeKinds = ['tracepoint', 'kprobe', 'fentry'] as const;

/** Stands alone in `probes.allow`: no probe at all. */
export const noProbes = 'none';

/** What the operator can switch on and off of what is traced: a fragment names the positions under which it runs. */
export const probeSwitches = {
  reads: ['exact', 'opens', 'off'],
  retries: ['on', 'off'],
  vma_waits: ['on', 'off'],
} as const;

const path = (options: { description: string; default: string; flag?: string }) =>
  Type.Refine(
    Type.String({ accepts: 'a path without control characters', ...options }),
    (text) => !/\p{Cc}/u.test(text),
  );

/** Bytes of sun_path (unix(7)) without the zero at its end. */
const longestSocketPath = 107;

const section = <Properties extends Record<string, object>>(properties: Properties) =>
  Type.Object(properties, { additionalProperties: false });

export const configSchema = section({
  web: section({
    listen_address: Type.Array(
      Type.Refine(
        Type.String({ accepts: 'host:port such as 127.0.0.1:10465 or [::1]:10465' }),
        (text) => parseListenAddress(text) !== undefined,
      ),
      {
        description: 'Addresses to serve HTTP on. Port 0 lets the kernel choose one.',
        default: ['127.0.0.1:10465'],
        minItems: 1,
        uniqueItems: true,
      },
    ),
    allowed_hosts: Type.Array(
      Type.Refine(Type.String({ accepts: 'a host name or address without a port' }), isHost),
      {
        description:
          'Names accepted in the Host header besides the listen addresses and localhost; others are refused, ' +
          'which stops DNS rebinding. A listener that is not loopback takes any IP address, and any name for /metrics.',
        default: [],
      },
    ),
    config_file: path({
      flag: 'web.config.file',
      description:
        'YAML file with TLS, passwords and headers of all listen addresses, in the format of the exporters of ' +
        'Prometheus. It is read again when it changes. Empty: neither TLS nor passwords.',
      default: '',
    }),
    unix_socket: Type.Refine(
      Type.String({
        description:
          'Path of a unix socket that serves everything to whom its mode lets in: 0660, of the group of mmaplockd. ' +
          'Empty: none.',
        default: '',
        accepts: `a path of at most ${longestSocketPath} bytes without control characters`,
      }),
      (text) => !/\p{Cc}/u.test(text) && Buffer.byteLength(text) <= longestSocketPath,
    ),
  }),
  log: section({
    level: Type.Enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'], {
      description: 'The least severe level that is logged. HTTP requests are logged at debug.',
      default: 'info',
    }),
    format: Type.Enum(['json', 'pretty', 'auto'], {
      description: 'One JSON object or one plain line a record; auto is pretty on a terminal, else json.',
      default: 'auto',
    }),
  }),
  probes: section({
    allow: Type.Array(Type.Enum([...probeKinds, noProbes]), {
      description:
        'Kinds of probes that may be attached; what needs another kind is not observed. none, alone: no bpftrace is ' +
        'started, nothing is observed, and /metrics stays up.',
      default: [...probeKinds],
      minItems: 1,
    }),
    directory: path({
      description: 'Directory of the bpftrace fragments. Empty: those shipped with this version.',
      default: '',
    }),
    disable: Type.Array(
      Type.String({ pattern: '^[A-Za-z0-9][A-Za-z0-9_.-]*$', accepts: 'the name of a fragment' }),
      { description: 'Fragments that are never chosen, by name.', default: [] },
    ),
    reads: Type.Enum([...probeSwitches.reads], {
      flag: 'reads',
      description:
        'What is traced of the readers of /proc/PID/maps and its siblings: exact counts every read, and tells whom ' +
        'it blocked; opens counts only who opens them; off traces nothing of them.',
      default: 'exact',
    }),
    retries: Type.Enum([...probeSwitches.retries], {
      flag: 'retries',
      description: 'Whether the retries of these readers are counted, which needs --reads exact.',
      default: 'on',
    }),
    vma_waits: Type.Enum([...probeSwitches.vma_waits], {
      flag: 'vma-waits',
      description:
        'Whether writers are counted that sleep for the readers of one VMA (Linux 6.15, function probes). Off by ' +
        'default, for it costs every mmap() and munmap() some 4 %.',
      default: 'off',
    }),
  }),
  // The maxima keep a host below 1,500 series with every slot taken (test/metrics).
  metrics: section({
    name_by: Type.Enum(['comm', 'unit'], {
      description:
        'What labels that name a process hold: the name of its thread-group leader, or its systemd unit ' +
        '(the name where it has none).',
      default: 'comm',
    }),
    process_slots: Type.Integer({
      description:
        'Names a per-process metric, and the one of victims of VMA waits, may expose at once; the others count into ' +
        '~other.',
      default: 50,
      minimum: 1,
      maximum: 60,
    }),
    reader_slots: Type.Integer({
      description:
        'Pairs of file and reader a per-reader metric may expose at once; the others count into ~other.',
      default: 50,
      minimum: 1,
      maximum: 57,
    }),
    block_slots: Type.Integer({
      description:
        'Triples of file, reader and victim a per-block metric may expose at once; the others count into ~other.',
      default: 100,
      minimum: 1,
      maximum: 103,
    }),
    watched_victims: Type.Array(Type.Refine(Type.String({ accepts: victimNames }), isVictimName), {
      description:
        'Names of processes to be paged for, as the label victim shows them: each has its longest wait, and the ' +
        'time its writers were blocked, under its own name. Units where metrics.name_by is unit.',
      default: [],
      maxItems: 10,
      uniqueItems: true,
    }),
  }),
  bpftrace: section({
    path: path({ description: 'The bpftrace executable. Empty: search PATH.', default: '' }),
    start_timeout_seconds: Type.Number({
      description:
        'Seconds bpftrace may take to attach before it is killed and started again. Longer where the smallest ' +
        'program takes more than a second to start.',
      default: 20,
      minimum: 1,
      maximum: 600,
    }),
    stall_seconds: Type.Number({
      description:
        'Seconds without a tick (bpftrace sends one a second) after which the daemon is not ready.',
      default: 5,
      minimum: 2,
      maximum: 3600,
    }),
    stall_restart_seconds: Type.Number({
      description: 'Seconds without a tick after which bpftrace is started again; more than stall_seconds.',
      default: 15,
      minimum: 2,
      maximum: 3600,
    }),
  }),
  limits: section({
    map_keys: Type.Integer({
      description:
        'Keys a BPF map may hold. Lowered where limits.map_memory_mib asks for it, but not below 512.',
      default: 4096,
      minimum: 512,
      maximum: 65_536,
    }),
    map_memory_mib: Type.Integer({
      description:
        'MiB of kernel memory for all BPF maps together. A key costs more the more CPUs are possible: with more than ' +
        '128 of them maps may take as many times more, up to a sixteenth of the memory that mmaplockd may use.',
      default: 64,
      minimum: 8,
      maximum: 1024,
    }),
  }),
  cost: section(costSettings),
  incidents: section({
    directory: path({
      description:
        'Directory that keeps incidents over a restart, as JSON lines; it is made where there is none. Empty: they ' +
        'are kept in memory alone.',
      default: '',
    }),
    directory_mib: Type.Integer({
      description: 'MiB that the files of incidents may take in that directory; the oldest are removed.',
      default: 16,
      minimum: 1,
      maximum: 1024,
    }),
    wait_ms: Type.Number({
      description: 'Milliseconds a writer has to wait, in one wait, to open an incident.',
      default: 50,
      minimum: 1,
      maximum: 60_000,
    }),
    share_percent: Type.Number({
      description:
        'Percent of the time of incidents.window_seconds that writers of a process stand behind readers, in however ' +
        'many waits, to open an incident.',
      default: 20,
      minimum: 1,
      maximum: 100,
    }),
    window_seconds: Type.Integer({
      description: 'Seconds that incidents.share_percent is a part of.',
      default: 10,
      minimum: 1,
      maximum: 60,
    }),
    quiet_seconds: Type.Number({
      description: 'Seconds without another stall of the same process after which its incident is closed.',
      default: 10,
      minimum: 1,
      maximum: 3600,
    }),
    keep: Type.Integer({
      description: 'Incidents kept in memory, and shown; the oldest are dropped.',
      default: 200,
      minimum: 10,
      maximum: 2000,
    }),
  }),
  inspect: section({
    on_incident: Type.Enum(['off', 'on'], {
      description:
        'Whether inspect mode, a second tracer, looks for 10 s at an incident that opens, at most once a minute. It ' +
        'costs a loop of mmap and munmap 13 to 29 % meanwhile.',
      default: 'off',
    }),
    api: Type.Enum(['off', 'on'], {
      description:
        'Whether POST /api/v1/inspect switches inspect mode on for some seconds, for those who have the token of ' +
        'inspect.token_file.',
      default: 'off',
    }),
    token_file: path({
      description:
        'File with the token that POST /api/v1/inspect asks for, at least 16 characters. It is read at each request.',
      default: '',
    }),
  }),
  allow_second: Type.Boolean({
    description: 'Start even though a mmaplockd runs on this host already.',
    default: false,
  }),
});

/** The daemon's settings, each checked. Empty paths mean the default place. */
export type Config = Static<typeof configSchema>;
export type LogLevel = Config['log']['level'];
export type LogFormat = Config['log']['format'];
