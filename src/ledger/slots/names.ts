/** What the ledger must be told to show amounts by name. */
export interface NameOptions {
  /** Label sets exposed at most. */
  readonly slots: number;
  /** What a label that names a process holds, from name and cgroup id. */
  readonly label: (name: string, cgroupId: string) => string;
  /** Rows that the tracer prints at most of each map of names: as many mean that some were left out. */
  readonly rowLimit: number;
}
