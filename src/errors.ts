/**
 * Every error a person can meet, in one place: a stable code, what it means, and how to mend it.
 *
 * The code is what scripts, alerts and the API rely on; it never changes. The message of a thrown error adds
 * the particulars (which key, which path). Add a row here before throwing something new.
 */

const catalog = {
  // configuration and command line
  unknown_flag: 'Run `mmaplockd --help` for the flags this version knows.',
  invalid_flag: 'Correct the value; `mmaplockd --help` shows what is accepted.',
  unknown_command: 'Run `mmaplockd --help` for the commands this version knows.',
  unknown_config_key: 'Remove the key, or correct its name.',
  invalid_config: 'Correct the value named in the message.',
  unreadable_config: 'Check that the file exists, is readable and is valid YAML.',
  // the kernel of this host
  btf_missing: 'Run a kernel built with CONFIG_DEBUG_INFO_BTF=y.',
  btf_unreadable: 'Check the permissions of /sys/kernel/btf/vmlinux; in a container, mount /sys read-only.',
  btf_malformed:
    'The BTF of this kernel is damaged or of an unknown format: report it with the kernel release.',
  btf_unknown_kind:
    'The BTF of this kernel has types of a kind that this version does not know; what needs those behind them is not ' +
    'observed. Install a later mmaplockd, or report it with the kernel release.',
  kallsyms_unreadable: 'Check that /proc/kallsyms is readable.',
  tracefs_missing: 'Mount it: `mount -t tracefs nodev /sys/kernel/tracing`.',
  tracefs_unreadable: 'Run as root; lockdown in confidentiality mode refuses tracefs to everyone.',
  kernel_lockdown:
    'No setting of mmaplockd or bpftrace helps, and a running kernel cannot be unlocked: boot it with ' +
    'lockdown=integrity, or without lockdown.',
  // probes
  fragment_malformed: 'Correct the header or body of the fragment named in the message.',
  fragment_rejected: 'See the compiler message in the log; the other fragments go on without this one.',
  own_pid_namespace:
    'Run mmaplockd in the pid namespace of the host: hostPID: true in Kubernetes, --pid=host with docker and podman.',
  registers_unproven:
    'Waits are observed all the same. Report it with the kernel release and its configuration.',
  reads_unproven:
    'Everything else is observed all the same. Report it with the kernel release and the message.',
  start_check_failed:
    'Run `mmaplockd check` to try it again; until then what readers and waiters do rests on BTF and symbols alone.',
  probes_switched_off:
    'Set probes.allow to the kinds of probes that may be attached (or leave it out), and start mmaplockd again.',
  nothing_observable: 'Run `mmaplockd check` for what this host lacks and how to mend it.',
  // the cost of probes
  shed_for_cost:
    'It comes back once the probes cost less for cost.quiet_seconds. Raise cost.budget_percent to keep it.',
  budget_exceeded:
    'See cost.cause in /api/v1/status for whom it is of. Raise cost.budget_percent, or set cost.shed_waits to on to have ' +
    'waits given up, too.',
  probe_cost_unmeasured:
    'Let mmaplockd write to /proc/sys/kernel/bpf_stats_enabled (Linux 5.1; as root, and not read-only), or set it to 1 ' +
    'yourself; until then the cost budget is not kept.',
  // bpftrace
  bpftrace_missing: 'Install it (apt-get install bpftrace), or name it with --bpftrace.path.',
  bpftrace_unsupported: 'Install bpftrace 0.17 or later.',
  not_root: 'Run as root: bpftrace refuses to start otherwise.',
  too_few_descriptors:
    'Let mmaplockd have 1024 open files or more: LimitNOFILE= of the unit, or `ulimit -n` before it is started.',
  canary_failed: "Run `bpftrace -e 'interval:s:1 { exit(); }'` by hand to see what stops it.",
  program_rejected: 'The compiler or verifier refused the program; `mmaplockd dump-program` prints it.',
  attach_incomplete: 'Some probes did not attach; the log holds what bpftrace said.',
  tracer_exited: 'bpftrace ended by itself; it is started again. The log holds its last words.',
  tracer_killed: 'Something killed bpftrace; it is started again. Check for the OOM killer.',
  tracer_start_timeout:
    'bpftrace did not get ready in time; it is started again. Check whether the host is overloaded.',
  ticks_stalled:
    'bpftrace runs but sends nothing; it is started again if that lasts. Check that it is not stopped or starved.',
  // incidents
  incidents_unwritable:
    'Name a directory that the daemon may write to in incidents.directory, or make room on its disk.',
  // inspect mode
  inspect_unavailable: 'Run `mmaplockd check` for what inspect mode lacks on this host.',
  inspect_shed:
    'Wait until the probes cost less for cost.quiet_seconds, or raise cost.budget_percent and start mmaplockd again.',
  inspect_running: 'Wait until the other inspection has ended; each takes 10 s at most.',
  inspect_off:
    'Set inspect.api to on and inspect.token_file to a file with a token, and start mmaplockd again.',
  token_unreadable:
    'Put a token of at least 16 visible ASCII characters into the file of inspect.token_file (openssl rand -hex 32 ' +
    'makes one), readable by mmaplockd.',
  unauthorized: 'Send the token of the file of inspect.token_file: `Authorization: Bearer TOKEN`.',
  too_many_failures: 'Correct the token, and try again after Retry-After.',
  origin_not_allowed: 'Ask by a program such as curl; a page of another origin may not ask for this.',
  // serving
  already_running: 'Use the daemon that runs already, stop it, or pass --allow-second.',
  port_in_use: 'Stop what listens there, or choose another --web.listen-address.',
  listen_failed: 'Check --web.listen-address: the host must be an address of this machine.',
  malformed_request: 'Send HTTP/1.1 as RFC 9112 has it; a client that speaks TLS needs https in its address.',
  request_timeout: 'Send request line and headers within 10 s, and the whole request within 30 s.',
  head_too_large:
    'Send less than 16 KiB of request line and headers; a cookie of another program may be among them.',
  target_too_long: 'Send less than 4096 characters of path and query.',
  body_too_large: 'Send no body: no request here needs one.',
  too_many_requests: 'Ask less often, or raise rate_limit in the file of --web.config.file.',
  unknown_parameter: 'Remove the parameter; /openapi.json lists those that exist.',
  invalid_parameter: 'Correct the value of the parameter named in `field`.',
  not_found: 'See / for the paths that exist.',
  method_not_allowed: 'Use a method that the header Allow names.',
  host_not_allowed: 'Use the address the daemon listens on, localhost, or a name of web.allowed_hosts.',
  tls_unusable:
    'Put a certificate and its private key, both as PEM and without a passphrase, into the files that ' +
    'tls_server_config of --web.config.file names, readable by mmaplockd.',
  web_config_held:
    'Start mmaplockd again; until then what the file of --web.config.file said before stays in force.',
  too_many_streams: 'End a stream that is not needed, or try again after Retry-After.',
  internal_error: 'This is a defect of mmaplockd: report it with the log line of the same time.',
  // systemd
  notify_failed:
    'Check that systemd-notify runs (package systemd): without it systemd takes the daemon for hung, and starts it again.',
  // support bundle
  file_exists: 'Name another file with --file, or remove the one that is there.',
  file_unwritable: 'Name a file with --file in a directory that may be written to, or - for standard output.',
  // top
  daemon_unreachable: 'Start mmaplockd, or name the daemon to ask with --url.',
  // demo
  compiler_missing:
    'Install a C compiler and the headers of the C library (apt-get install gcc libc6-dev), for gcc or cc on PATH.',
  workload_missing: 'Install mmaplockd anew, or run the demonstration from a checkout of the source.',
} as const;

/** A stable, documented error code. */
export type ErrorCode = keyof typeof catalog;

/** Every code with its mend, for documentation and tests. */
export const errorCatalog: Readonly<Record<ErrorCode, string>> = catalog;

/** An error with a stable code, the field it is about (if any) and how to mend it. */
export class MmaplockError extends Error {
  override readonly name = 'MmaplockError';
  readonly code: ErrorCode;
  /** The configuration key, flag, parameter or path the error is about. */
  readonly field: string | undefined;
  /** What to do about it, in one sentence. */
  readonly fix: string;

  constructor(
    code: ErrorCode,
    message: string,
    options: { field?: string; fix?: string; cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.field = options.field;
    this.fix = options.fix ?? catalog[code];
  }
}

/** Anything thrown, as an error with a code: `internal_error` where it has none. */
export const codedError = (error: unknown): MmaplockError =>
  error instanceof MmaplockError
    ? error
    : new MmaplockError('internal_error', messageOf(error), { cause: error });

/** The message of anything thrown, whatever it is. */
export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** The errno name (`ENOENT`, `EADDRINUSE`) of a system error, else undefined. */
export const errnoOf = (error: unknown): string | undefined =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
