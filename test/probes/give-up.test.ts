import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GivenUp } from '../../src/probes/give-up.js';
import { areAllProbes, joinProgram } from '../../src/probes/program.js';
import { fragmentOf } from './fake.js';

const source = (name: string, probe: string) =>
  fragmentOf(name, {
    header: ['mode watch', `tells ${name.split('-')[0]}`, 'cost none'],
    body: `${probe}\n{\n  $x = 1;\n  //@ hook seen: $x\n}\n`,
  });
const meaning = (name: string, event: string) =>
  fragmentOf(name, {
    header: ['mode watch', `needs event ${event}`, 'cost none'],
    body: `//@ at ${event} seen\n  @${name} = count();\n`,
  });
const programOf = (...fragments: ReturnType<typeof fragmentOf>[]) =>
  joinProgram(fragments.map((fragment) => ({ fragment, constants: new Map() })));

const byFentry = [source('reads-fentry', 'kfunc:seq_read'), source('opens-fentry', 'kfunc:pid_maps_open')];
const byKprobe = [source('queries-kprobe', 'kprobe:procfs_procmap_ioctl')];
const byTracepoint = [source('waits-tracepoint', 'tracepoint:lock:contention_begin')];
const made = [meaning('all_waits', 'waits'), meaning('all_reads', 'reads')];
const whole = programOf(...byFentry, ...byKprobe, ...byTracepoint, ...made);

/** What was given up, and by which message. */
const listening = () => {
  const said: (readonly [string, string])[] = [];
  const givenUp = new GivenUp((fragment, message) => said.push([fragment, message]));
  return { givenUp, names: () => said.splice(0).map(([fragment]) => fragment) };
};

test('what is refused by name is given up alone, and once', () => {
  const { givenUp, names } = listening();
  const message = 'ERROR: Error loading program: kfunc:seq_read';
  assert.equal(givenUp.refused(whole, message, 'reads-fentry'), true);
  assert.deepEqual(names(), ['reads-fentry']);
  assert.equal(givenUp.refused(whole, message, 'reads-fentry'), false, 'nothing new is to be tried');
  givenUp.triedBy('/opt/bpftrace 0.27.0');
  assert.equal(givenUp.refused(whole, message, 'reads-fentry'), true, 'by another bpftrace it is');
});

test('where bpftrace has no fentry at all, all that needs it is given up at once', () => {
  for (const message of [
    // Debian 12's bpftrace on Linux 5.10, whose BTF has no id.
    'stdin:38:1-25: ERROR: kfunc:down_read_killable: BTF data not available',
    'stdin:3: ERROR: kfunc/kretfunc not available for your kernel version.',
  ]) {
    const { givenUp, names } = listening();
    assert.equal(givenUp.refused(whole, message, 'reads-fentry'), true);
    assert.deepEqual(names(), ['reads-fentry', 'opens-fentry']);
  }
});

test('what nobody named is given up at the second refusal, by kinds of probes; tracepoints never are', () => {
  const { givenUp, names } = listening();
  const refuse = (program: typeof whole): readonly string[] => {
    assert.equal(givenUp.refused(program, '3 of 9 probes attached'), false);
    assert.deepEqual(names(), []);
    assert.equal(givenUp.refused(program, '3 of 9 probes attached'), true);
    return names();
  };
  assert.deepEqual(refuse(whole), ['reads-fentry', 'opens-fentry']);
  assert.deepEqual(refuse(programOf(...byKprobe, ...byTracepoint, ...made)), ['queries-kprobe']);
  const { givenUp: last, names: none } = listening();
  for (let time = 0; time < 9; time += 1)
    assert.equal(last.refused(programOf(...byTracepoint, ...made), '3 of 9 probes attached'), false);
  assert.deepEqual(none(), []);
  assert.equal(givenUp.refused(whole, '5 of 9 probes attached'), false);
  givenUp.accepted();
  assert.equal(givenUp.refused(whole, '5 of 9 probes attached'), false, 'once again it is the first');
});

test('a host that is short of memory loses no source for it', () => {
  const { givenUp, names } = listening();
  for (let time = 0; time < 9; time += 1)
    assert.equal(givenUp.refused(whole, 'ERROR: failed to create map: Cannot allocate memory'), false);
  assert.deepEqual(names(), []);
});

test('a kprobe and a kretprobe of one function may be one probe', () => {
  const pair = 'kprobe:seq_read\n{\n  @a = 1;\n}\nkretprobe:seq_read\n{\n  @a = 2;\n}\n';
  const list = 'kprobe:f\n{\n  @a = 1;\n}\nkretprobe:f,\nkretprobe:g\n{\n  @a = 2;\n}\n';
  const program = programOf(fragmentOf('x', { body: pair }), fragmentOf('y', { body: list }));
  assert.equal(program.sessions, 1);
  assert.deepEqual(
    [program.probes - 2, program.probes - 1, program.probes].map((attached) =>
      areAllProbes(program, attached),
    ),
    [false, true, true],
  );
});
