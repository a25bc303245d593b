/** System calls of a traced process, as `strace -f -y -o FILE` writes them. */

/**
 * One call of one thread; `startedAt` and `endedAt` are places in the order of all that happened.
 */
export type SystemCall = {
  readonly thread: string;
  readonly name: string;
  /** As written, with the bytes of buffers. */
  readonly args: string;
  readonly result: string;
  readonly startedAt: number;
  /** Infinite for a call that never returned. */
  readonly endedAt: number;
  /** Of the descriptor that it is about, or that it opened. */
  readonly path: string | undefined;
};

type OpenCall = Pick<SystemCall, 'name' | 'args' | 'startedAt'>;

/**
 * The calls in the order of their starts. A line that does not fit is an error: a call that is not
 * understood must not pass for one that never was.
 */
export function parseSystemCalls(trace: string): readonly SystemCall[] {
  const calls: SystemCall[] = [];
  const open = new Map<string, OpenCall>();
  for (const [index, line] of trace.split('\n').entries()) {
    const [, thread, rest] = /^(\d+) +(.*)$/.exec(line) ?? [];
    // Signals and ends of threads; the last line may be cut.
    if (thread === undefined || rest === undefined || /^(---|\+\+\+)/.test(rest)) continue;
    const resumed = /^<\.\.\. (\w+) resumed>(.*)$/.exec(rest);
    if (resumed === null) {
      const unfinished = /^(\w+)\((.*?),? *<unfinished \.\.\.>$/.exec(rest);
      if (unfinished !== null) {
        open.set(thread, callOf(unfinished, index));
        continue;
      }
      const whole = /^(\w+)\((.*)$/.exec(rest);
      if (whole === null) throw new Error(`a line of the trace that is not understood: ${line}`);
      calls.push(closed(thread, callOf(whole, index), { endedAt: index, tail: '' }));
      continue;
    }
    const begun = open.get(thread);
    open.delete(thread);
    if (begun === undefined || begun.name !== resumed[1]) {
      throw new Error(`a call ends that has not begun: ${line}`);
    }
    calls.push(closed(thread, begun, { endedAt: index, tail: resumed[2] ?? '' }));
  }
  for (const [thread, call] of open) {
    calls.push({
      ...call,
      thread,
      result: '?',
      endedAt: Number.POSITIVE_INFINITY,
      path: pathOf(call.args),
    });
  }
  return calls.toSorted((one, other) => one.startedAt - other.startedAt);
}

function callOf([, name = '', args = '']: readonly string[], startedAt: number): OpenCall {
  return { name, args, startedAt };
}

/** `tail`: what the line says on which the call ended, when that is not the one of its start. */
function closed(
  thread: string,
  { name, args: begun, startedAt }: OpenCall,
  { endedAt, tail }: { readonly endedAt: number; readonly tail: string },
): SystemCall {
  const text = begun + tail;
  // The last ") = " ends the arguments; a buffer may hold others.
  const at = text.lastIndexOf(') ');
  const args = at < 0 ? text : text.slice(0, at);
  const result = at < 0 ? '' : text.slice(at).replace(/^\) += */, '');
  const path = pathOf(args) ?? pathOf(result);
  return { thread, name, args, result, startedAt, endedAt, path };
}

/** Of the descriptor with which a text begins. */
function pathOf(text: string): string | undefined {
  return /^\d+<([^>]*)>/.exec(text)?.[1];
}
