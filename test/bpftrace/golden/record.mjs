/**
 * Records what a real bpftrace prints: node record.mjs DIRECTORY BPFTRACE [ARGUMENT...]
 * writes DIRECTORY/VERSION/CASE.ndjson (standard output) and, where the messages matter, CASE.stderr.
 * Needs root and tracefs. BPFTRACE may be a wrapper, as long as it ends up as bpftrace by exec.
 */
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

let canary;
try {
  canary = await import('../../../src/bpftrace/dialect.js');
} catch {
  console.error('build first: npm run build');
  process.exit(1);
}

/** A program that runs its body again and again until the first exit() is obeyed; so bodies only assign. */
const once = (body) => `interval:ms:10 {\n  ${body}\n  exit();\n}\n`;

/** A program whose body runs exactly once. */
const single = (body) => `interval:ms:10 /@ran == 0/ {\n  @ran = 1;\n  ${body}\n  exit();\n}\n`;

/**
 * `stderr`: keep the messages. `act`: what the recorder does once the probes are attached. `source`: keep the program
 * too. `keep`: at most so many lines of type printf, to keep a flood small.
 */
const cases = [
  { name: 'canary', program: canary.canaryProgram, env: canary.canaryEnvironment, source: true },
  {
    name: 'scalars',
    program: single(`@small = 5; @negative = -5; @big = 9007199254740993; @least = -9223372036854775807;
  @most = (uint64)18446744073709551615; @round = 1152921504606846976; @text = "plain text";
  @quoted = "q\\"\\\\n"; @utf8 = "h\u00e9"; @digits = "1234567890123456";
  @tuple = (1, (2, "a b"), -3); @truth = (1 == 1); @count = count(); @sum = sum(7); @min = min(-2); @max = max(9);`),
  },
  {
    name: 'keyed',
    program:
      single(`@one[7] = 1; @one[-8] = 2; @two[1, -2] = 3; @three[1, 2, 3] = 4; @counts[5] = count(); @sums[5, 6] = sum(8);
  @wide[(uint64)18446744073709551615, 9007199254740993] = 5; @tuples[1] = (1, "x"); @truths[1 == 1, 1 == 2] = 6;
  @names[1234] = "a b, (c)";`),
  },
  {
    name: 'odd-keys',
    program: single(`@space["a b"] = 1; @comma["a,b", 2] = 1; @parentheses["(p)"] = 1; @quote["q\\"\\\\"] = 1;
  @newline["l\\nm"] = 1; @utf8["h\u00e9"] = 1;`),
  },
  {
    name: 'hist',
    program: single(`@h = hist(-5); @h = hist(0); @h = hist(1); @h = hist(6);
  @keyed[1, 2] = hist(5); @keyed[1, 2] = hist(20); @keyed[3, 4] = hist(1000);
  @wide = hist(1073741824); @wide = hist(3000000000);
  @wider = hist(1099511627776); @widest = hist(4611686018427387904); @none = hist(1); zero(@none);`),
  },
  {
    name: 'lhist',
    program: single(`@l = lhist(-5, 0, 100, 10); @l = lhist(55, 0, 100, 10); @l = lhist(1000, 0, 100, 10);
  @keyed[7] = lhist(55, 0, 100, 10);`),
  },
  {
    name: 'text',
    program: single(`printf("tick %llu \\"quoted\\" h\u00e9\\n", 9007199254740993);`),
  },
  {
    name: 'lost',
    program: `interval:ms:1 {\n  unroll(50) { printf("%0400d", 1); }\n}\n`,
    env: { BPFTRACE_PERF_RB_PAGES: '1' },
    act: 'pause',
    keep: 2,
  },
  {
    name: 'map-full',
    program: single('@full[1] = 1; @full[2] = 1; @full[3] = 1;'),
    env: { BPFTRACE_MAP_KEYS_MAX: '2', BPFTRACE_MAX_MAP_KEYS: '2' },
    args: ['-k'],
    stderr: true,
  },
  { name: 'unquoted-time', program: once('@when = strftime("%H:%M", nsecs);') },
  // refusals and warnings
  { name: 'unknown-function', program: once('@a = 1;\n  @b = nosuch(1);'), stderr: true },
  { name: 'syntax-error', program: once('@a = (;'), stderr: true },
  {
    name: 'unknown-field',
    program: 'interval:ms:10 {\n  exit();\n}\ntracepoint:sched:sched_switch { @b = args->nosuch; }\n',
    stderr: true,
  },
  { name: 'verifier-refusal', program: once('while (1 == 1) { @x = count(); }'), stderr: true },
  { name: 'missing-tracepoint', program: `tracepoint:nosuch:nosuch { @x = 1; }\n${once('')}`, stderr: true },
  {
    name: 'missing-one-of-two',
    program: `tracepoint:nosuch:nosuch, tracepoint:sched:sched_switch { @x = 1; }\n${once('')}`,
    stderr: true,
  },
  // the kernel of the recorder has no kprobes, so both fail
  { name: 'attach-failure', program: `kprobe:vfs_read { @x = 1; }\n${once('')}`, stderr: true },
  {
    name: 'attach-failure-of-two',
    program: `kprobe:vfs_read, kprobe:vfs_write { @x = 1; }\n${once('')}`,
    stderr: true,
  },
  { name: 'no-fentry', program: `kfunc:vfs_read { @x = 1; }\n${once('')}`, stderr: true },
  {
    name: 'not-root',
    program: once(''),
    wrap: ['setpriv', '--reuid', '65534', '--clear-groups'],
    stderr: true,
  },
];

const pauseFor = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

const acts = {
  /** Stops bpftrace so that its buffer overflows, lets it notice, and ends it. */
  pause: async (child) => {
    child.kill('SIGSTOP');
    await pauseFor(300);
    child.kill('SIGCONT');
    await pauseFor(300);
    child.kill('SIGTERM');
  },
};

const run = (command, { program, args = [], env = {}, act }) =>
  new Promise((resolve, reject) => {
    const child = spawn(command[0], [...command.slice(1), '-f', 'json', ...args, '-'], {
      env: { ...process.env, ...env },
    });
    const output = { stdout: '', stderr: '' };
    let acted = act === undefined;
    for (const stream of ['stdout', 'stderr']) {
      child[stream].setEncoding('utf8').on('data', (text) => {
        output[stream] += text;
        if (!acted && output.stdout.includes('attached_probes')) {
          acted = true;
          void pauseFor(100).then(() => acts[act](child));
        }
      });
    }
    child.on('error', reject).on('close', (status) => resolve({ status, ...output }));
    child.stdin.end(program);
  });

const thin = (text, keep) => {
  let kept = 0;
  return text
    .split('\n')
    .filter((line) => keep === undefined || !line.startsWith('{"type": "printf"') || kept++ < keep)
    .join('\n');
};

const [directory, ...command] = process.argv.slice(2);
if (command.length === 0) {
  console.error('usage: node record.mjs DIRECTORY BPFTRACE [ARGUMENT...]');
  process.exit(2);
}
const version = spawnSync(command[0], [...command.slice(1), '--version'], { encoding: 'utf8' }).stdout.match(
  /[\d.]+/,
)[0];
const folder = join(directory, version);
mkdirSync(folder, { recursive: true });
for (const one of cases) {
  // the wrapper goes right before bpftrace itself, inside whatever wraps that
  const wrapped = [...command.slice(0, -1), ...(one.wrap ?? []), ...command.slice(-1)];
  const { status, stdout, stderr } = await run(wrapped, one);
  console.log(`${version} ${one.name}: exit ${status}`);
  if (stdout !== '') writeFileSync(join(folder, `${one.name}.ndjson`), thin(stdout, one.keep));
  if (one.source) writeFileSync(join(folder, `${one.name}.bt`), one.program);
  if (one.stderr) writeFileSync(join(folder, `${one.name}.stderr`), stderr);
  else if (status !== 0) console.error(stderr);
}
