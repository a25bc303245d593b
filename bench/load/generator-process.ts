/** The driver's hold on the generator: one process for all rows, so that it is warm. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { FromGenerator, LoadResult, Plan, ToGenerator } from './plan.ts';

const GENERATOR = join(import.meta.dirname, 'generator.ts');

export class GeneratorProcess {
  readonly #child: ChildProcess;
  readonly #exited: Promise<never>;

  private constructor(child: ChildProcess) {
    this.#child = child;
    this.#exited = once(child, 'exit').then(([code, signal]) => {
      throw new Error(`The load generator ended with ${code ?? signal}.`);
    });
    // Seen by whoever waits for an answer; ending it on purpose is no failure.
    this.#exited.catch(() => undefined);
  }

  static start(): GeneratorProcess {
    return new GeneratorProcess(
      fork(GENERATOR, [], { execArgv: ['--disable-warning=ExperimentalWarning'] }),
    );
  }

  /** Runs a plan; `onReady` runs with everything open, right before the clock starts. */
  async run(plan: Plan, onReady: () => void): Promise<LoadResult> {
    const ready = await this.#ask({ kind: 'prepare', plan });
    if (ready.kind !== 'ready') throw new Error(`Not ready for a plan: ${failureOf(ready)}`);
    onReady();
    const done = await this.#ask({ kind: 'go' });
    if (done.kind !== 'done') throw new Error(`A run broke off: ${failureOf(done)}`);
    return done.result;
  }

  async #ask(message: ToGenerator): Promise<FromGenerator> {
    const answered = once(this.#child, 'message');
    this.#child.send(message);
    const [answer] = await Promise.race([answered, this.#exited]);
    return answer as FromGenerator;
  }

  [Symbol.dispose](): void {
    this.#child.kill('SIGKILL');
  }
}

function failureOf(answer: FromGenerator): string {
  return answer.kind === 'failed' ? answer.message : `it answered ${answer.kind}`;
}
