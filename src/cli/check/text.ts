/** What `check` prints for people: first what is observed and what this kernel does, in plain words; then why. */
import { noProbes } from '../../config/schema.js';
import { lockPathMeanings, observableMeanings, procFiles } from '../../vocabulary.js';
import { inspectModeLine } from '../inspect-mode.js';
import type { CheckReport } from './report.js';

const verdicts = {
  full: 'Full: everything this version can observe, and is switched on, is observed on this host.',
  partial:
    'Partial: waits are observed on this host, but not everything this version can observe, or not all of it is proven.',
  blind: 'Blind: nothing can be observed on this host.',
} as const;

const blindByChoice = `Blind by choice: probes.allow is ${noProbes}, so nothing is observed on this host.`;

/** A text of many lines, the last one ended. */
export const checkText = (report: CheckReport): string => {
  const { bpftrace, limits } = report;
  const byChoice = !bpftrace.works && bpftrace.code === 'probes_switched_off';
  // The plan is for a bpftrace that works.
  const runsAtAll = byChoice || (bpftrace.works && report.refused === null);
  const parts: readonly (readonly string[])[] = [
    [byChoice ? blindByChoice : verdicts[report.verdict]],
    [...kernelLines(report), bpftraceLine(report), ...trialLines(report), inspectModeLine(report.inspect)],
    problemLines(report),
    [runsAtAll ? 'What is observed' : 'What this kernel would let be observed', ...observableLines(report)],
    ['What a reader does to a process, by the file of /proc/PID that it reads', ...servedLines(report)],
    ['How that is known', ...evidenceLines(report)],
    [
      runsAtAll ? 'What runs for it' : 'What would run for it',
      ...report.fragments.filter(runs).flatMap(runningLines),
    ],
    ['What does not run, and why', ...refusedLines(report)],
    limits.length === 0 ? [] : ['What this cannot see', ...limits.map(({ text }) => `  ${text}`)],
    report.other_daemon === null ? [] : [`Another mmaplockd runs on this host: ${report.other_daemon}`],
  ];
  return parts
    .filter((part) => part.length > 0)
    .map((part) => `${part.join('\n')}\n`)
    .join('\n');
};

const functionTracing: Readonly<Record<string, string>> = {
  readable: 'listed by the kernel',
  refused: 'refused by the kernel (fragments that need it cannot run)',
  absent: 'not available (fragments that need it cannot run)',
};

const kernelLines = ({ kernel }: CheckReport): string[] => [
  `Kernel ${kernel.release} (${kernel.machine}), ${kernel.possibleCpus} possible CPUs, lockdown: ${kernel.lockdown === 'unknown' ? 'unknown (securityfs is not mounted, or this kernel has no lockdown)' : kernel.lockdown}`,
  `  kprobes: ${kernel.kprobes ? 'available' : 'not available (fragments that need them cannot run)'}`,
  `  function tracing (fentry): ${functionTracing[kernel.functionTracing] ?? kernel.functionTracing}`,
  ...kernel.problems.map(({ code, message, fix }) => `  ${code}: ${message}. ${fix}`),
];

const bpftraceLine = ({ bpftrace }: CheckReport): string =>
  bpftrace.works
    ? `bpftrace ${bpftrace.version} (${bpftrace.path}): works, a program starts in ${bpftrace.seconds.toFixed(1)} s`
    : `bpftrace: ${bpftrace.code}: ${bpftrace.message}. ${bpftrace.fix}`;

const trialLines = ({ refused }: CheckReport): string[] =>
  refused === null ? [] : [`the program of run: ${refused.code}: ${refused.message}. ${refused.fix}`];

const problemLines = ({ problems }: CheckReport): string[] =>
  problems.length === 0
    ? []
    : [
        'What is less than it seems',
        ...problems.map(({ code, message, fix }) => `  ${code}: ${message}. ${fix}`),
      ];

const observableLines = ({ observables }: CheckReport): string[] =>
  observables.flatMap(({ what, observed, source, reason }) => [
    `  ${observed ? 'yes' : 'no '} ${what.padEnd(12)} ${observableMeanings[what]}`,
    `                   ${observed ? `by ${source}` : `${reason?.code}: ${reason?.detail}`}`,
  ]);

const pathOf = ({ lock_paths: served }: CheckReport, file: string) =>
  served.find((candidate) => candidate.file === file);

const servedLines = (report: CheckReport): string[] => {
  const paths = new Set(report.lock_paths.map(({ path }) => path));
  return [
    ...procFiles.map((file) => {
      const path = pathOf(report, file)?.path;
      const title = path === undefined ? 'not known' : lockPathMeanings[path].title;
      return `  ${file.padEnd(13)} ${(path ?? 'unknown').padEnd(12)} ${title}`;
    }),
    ...Array.from(paths, (path) => `  ${path}: ${lockPathMeanings[path].text}`),
  ];
};

const notServed = 'This kernel has no such file, or neither its BTF nor its symbols show how it is served.';

const evidenceLines = (report: CheckReport): string[] =>
  procFiles.map((file) => `  ${file.padEnd(13)} ${pathOf(report, file)?.evidence ?? notServed}`);

type Fragment = CheckReport['fragments'][number];

const runs = ({ chosen, reasons }: Fragment): boolean =>
  chosen || reasons.every(({ code }) => code === 'start_only');

const runningLines = ({ fragment, chosen, summary, cost }: Fragment): string[] => [
  `  ${chosen ? 'always' : 'once  '}  ${fragment}: ${summary}`,
  `          cost: ${cost}`,
];

/** By reason, for one reason often is that of many. */
const refusedLines = ({ fragments }: CheckReport): string[] => {
  const byReason = new Map<string, string[]>();
  for (const { fragment, reasons } of fragments.filter((one) => !runs(one)))
    for (const { code, detail } of reasons) {
      const reason = `${code}: ${detail}`;
      byReason.set(reason, [...(byReason.get(reason) ?? []), fragment]);
    }
  return Array.from(byReason, ([reason, names]) => [`  ${reason}`, `          ${names.join(', ')}`]).flat();
};
