/**
 * What bpftrace says on standard error (and, from 0.24 on, for warnings of the compiler, on standard output):
 * plain text in every version, and the word ERROR in it does not always mean one.
 */
import type { ErrorCode } from '../../errors.js';

/** What bpftrace says of the host, whatever the program is. */
export const ofHost: ReadonlySet<ErrorCode> = new Set(['not_root', 'kernel_lockdown', 'too_few_descriptors']);

/** What one line means for us. */
export interface Judgement {
  /** `benign`: nothing lost by it; also the source lines, carets and hints that follow a message. */
  readonly severity: 'benign' | 'warning' | 'error';
  readonly code?: ErrorCode;
  /** The line of the program a compiler message is about, from 1. */
  readonly sourceLine?: number;
}

/** `stdin:12:3-20: ERROR: ...`; for a span of lines (0.21+) `stdin:12-14: ERROR: ...`. */
const inProgram = /^[^\s:]+:(\d+)(?::\d+-\d+|-\d+): (ERROR|WARNING): /;

interface Rule extends Judgement {
  readonly pattern: RegExp;
}

/** The first that matches counts. Wordings are those of 0.17 to 0.27; see test/bpftrace/golden. */
const rules: readonly Rule[] = [
  // an ERROR up to 0.20, a WARNING since; bpftrace goes on, and modern kernels do not use the limit
  { pattern: /RLIMIT_MEMLOCK/, severity: 'benign' },
  // under lockdown root may not read this file; the probes attach all the same
  { pattern: /available_filter_functions/, severity: 'benign' },
  { pattern: /\bdeprecated\b|Unnecessary cast/, severity: 'benign' },
  // it cannot tell a kernel address from a user's, and reads with a helper that takes both: nothing lost on x86-64
  { pattern: /WARNING: Addrspace (?:mismatch|is not set)/, severity: 'benign' },
  { pattern: /failed to (?:detach probe|destroy link)|failed to close perf event FDs/, severity: 'benign' },

  { pattern: /running as the root user|run bpftrace as the root user/, severity: 'error', code: 'not_root' },

  { pattern: /Too many open files/, severity: 'error', code: 'too_few_descriptors' },

  // it looks at /sys/kernel/security/lockdown, and does nothing else then (src/lockdown.cpp)
  { pattern: /^Kernel lockdown is enabled/, severity: 'error', code: 'kernel_lockdown' },

  // one of several probes was skipped, the others go on
  {
    pattern: /WARNING: could not attach probe|WARNING: Unable to attach probe/,
    severity: 'warning',
    code: 'attach_incomplete',
  },
  {
    pattern: /WARNING: (?:No matches for|tracepoint not found)/,
    severity: 'warning',
    code: 'attach_incomplete',
  },
  { pattern: /WARNING: Probe has no valid attach points/, severity: 'warning', code: 'attach_incomplete' },
  {
    pattern: /^(?:open|create_probe_event: open)\(|^perf_event_open failed/,
    severity: 'warning',
    code: 'attach_incomplete',
  },
  { pattern: /^ERROR: .*(?:attach|Probe does not exist)/i, severity: 'error', code: 'attach_incomplete' },

  // the verifier, or the kernel's limits and permissions
  {
    pattern: /^ERROR: (?:Error loading|Loading BPF object|Unknown BPF object load failure)/,
    severity: 'error',
    code: 'program_rejected',
  },
  { pattern: /^ERROR: failed to create +map/, severity: 'error', code: 'program_rejected' },

  { pattern: /^(?:Possibly )?[Ll]ost \d+ (?:events|samples)|Total lost event count/, severity: 'warning' },
  { pattern: /^(?:FATAL|BUG): /, severity: 'error', code: 'tracer_exited' },
  { pattern: /^ERROR: /, severity: 'error' },
  { pattern: /^WARNING: /, severity: 'warning' },
];

/** Judges one line by itself. */
export const judgeStderr = (line: string): Judgement => {
  const [, lineNumber, level] = inProgram.exec(line) ?? [];
  if (lineNumber !== undefined) {
    const sourceLine = Number(lineNumber);
    if (level === 'ERROR') return { severity: 'error', code: 'program_rejected', sourceLine };
    return { ...(judgeByRules(line) ?? { severity: 'warning' }), sourceLine };
  }
  return judgeByRules(line) ?? { severity: 'benign' };
};

const judgeByRules = (line: string): Judgement | undefined => {
  const rule = rules.find(({ pattern }) => pattern.test(line));
  if (rule === undefined) return undefined;
  return rule.code === undefined ? { severity: rule.severity } : { severity: rule.severity, code: rule.code };
};

/** The message under which the log tells a line of it. */
export const bpftraceSays = 'bpftrace says';

const mostLines = 20;
const longestLine = 500;

/** The last words of a bpftrace, bounded: its newest lines, and its first error however long ago it was. */
export class StderrTail {
  readonly #lines: string[] = [];
  #firstError: (Judgement & { readonly line: string }) | undefined;

  /** Keeps the line, cut to 500 characters, and says what it means. */
  push(line: string): Judgement {
    const kept = line.slice(0, longestLine);
    const judgement = judgeStderr(kept);
    this.#lines.push(kept);
    if (this.#lines.length > mostLines) this.#lines.shift();
    if (judgement.severity === 'error') this.#firstError ??= { ...judgement, line: kept };
    return judgement;
  }

  /** The newest 20 lines, oldest first. */
  get lines(): readonly string[] {
    return this.#lines;
  }

  /** The first error: those that follow it are mostly its consequences. */
  get firstError(): (Judgement & { readonly line: string }) | undefined {
    return this.#firstError;
  }

  /** What bpftrace said of its end, in one line: its first error, else its last words. */
  get reason(): string {
    return this.#firstError?.line ?? this.#lines.findLast((line) => line.trim() !== '') ?? 'it said nothing';
  }
}
