/** What differs between the versions of bpftrace, as far as it matters here. */
export interface Dialect {
  /** For display only. */
  readonly version: string;
  /** Whether string keys keep their spaces; 0.24+ removes them. */
  readonly spacesInKeys: boolean;
  /** Whether a string key in parentheses keeps them; 0.24+ takes it for a tuple. */
  readonly parenthesesInKeys: boolean;
  /** 0.22 and 0.23 escape string keys twice. */
  readonly keyEscapes: 'once' | 'twice';
  /** Bytes over 0x7f: `\uffffffc3` for c3 where char is signed. */
  readonly highBytes: 'exact' | 'sign_extended';
  /** Integers that a double cannot hold: raw JSON numbers, or strings (0.24+). */
  readonly bigIntegers: 'number' | 'string';
  /** hist(): all 64 powers of two, or one bucket for everything from 2^31 on (up to 0.19). */
  readonly wideHist: 'exact' | 'capped';
  /** What makes a full map show as a helper_error; 0.23+ shows it anyhow, and -k there adds noise. */
  readonly mapFullFlag: readonly string[];
  /** The variable that bounds the keys of a map. */
  readonly mapKeysEnv: 'BPFTRACE_MAP_KEYS_MAX' | 'BPFTRACE_MAX_MAP_KEYS';
  /**
   * What attached_probes counts: those wanted, said before any attaches (up to 0.23), or those attached. Told
   * by the field `count`, which came with that change in 0.24.
   */
  readonly attachedCount: 'wanted' | 'attached';
  /** How long the canary took, from its start to its end: what a start of bpftrace takes on this host. */
  readonly startMilliseconds?: number;
}
