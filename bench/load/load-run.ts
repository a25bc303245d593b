/** One run of a plan: connections opened first, then requests one after another on each. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import type { Exchange, Lane, RequestSource } from '../protocols/protocol.ts';
import { type AnswerFields, AnswerReader } from './answer-reader.ts';
import { Histogram } from './histogram.ts';
import type { LoadResult, Plan } from './plan.ts';

/** One buffer takes the reads of all connections: each is used up before the next read. */
const READ_BYTES = 1 << 20;
/** The one status that says no length and has no body. */
const NO_CONTENT = 204;
const FAILURES_MAX = 100;
const FAILURE_TEXTS_MAX = 3;

export class LoadRun {
  readonly #plan: Plan;
  readonly #source: RequestSource;
  readonly #requestsMax: number;
  readonly #histogram = new Histogram();
  readonly #lines: Line[] = [];
  readonly #done = Promise.withResolvers<void>();
  readonly #failureTexts: string[] = [];
  #startMs = 0;
  #endMs = 0;
  #deadlineMs = 0;
  #started = 0;
  #finished = 0;
  #receivedBodyBytes = 0;
  #compared = 0;
  #failures = 0;

  private constructor(plan: Plan, source: RequestSource) {
    this.#plan = plan;
    this.#source = source;
    this.#requestsMax = Math.min(plan.requestsMax, source.requestsMax);
  }

  /** Everything that may cost time before the clock starts. */
  static async open(plan: Plan, source: RequestSource): Promise<LoadRun> {
    const run = new LoadRun(plan, source);
    const readBuffer = Buffer.alloc(READ_BYTES);
    for (let count = 0; count < plan.connections; count += 1) {
      run.#lines.push(await openLine(run, { plan, source, readBuffer }));
    }
    return run;
  }

  async run(): Promise<LoadResult> {
    const cpu = process.cpuUsage();
    this.#startMs = performance.now();
    this.#deadlineMs = this.#startMs + this.#plan.runMs;
    for (const line of this.#lines) this.#startNext(line, this.#startMs);
    await this.#done.promise;
    const { user, system } = process.cpuUsage(cpu);
    return {
      requests: this.#finished,
      seconds: (this.#endMs - this.#startMs) / 1000,
      sentBodyBytes: this.#finished * this.#source.sentBodyBytes,
      receivedBodyBytes: this.#receivedBodyBytes,
      p50Us: this.#histogram.quantileUs(0.5),
      p99Us: this.#histogram.quantileUs(0.99),
      maxUs: this.#histogram.maxUs,
      cpuUs: user + system,
      comparedAnswers: this.#compared,
      failures: this.#failures,
      failureTexts: this.#failureTexts,
    };
  }

  close(): void {
    for (const { socket } of this.#lines) socket.destroy();
  }

  /** A connection broke, or what came over it was no HTTP. */
  breakOff(error: Error): void {
    this.#done.reject(error);
  }

  takeHead(line: Line, status: number, { contentLength, isLast }: AnswerFields): void {
    const { answerBytes } = line.exchange;
    line.isClosing = isLast;
    if (status !== this.#source.status) {
      line.failure = `status ${status} instead of ${this.#source.status}`;
    } else if (contentLength < 0 && status !== NO_CONTENT) {
      line.failure = 'no content-length';
    } else if (answerBytes !== undefined && contentLength !== answerBytes) {
      line.failure = `${contentLength} bytes instead of ${answerBytes}`;
    }
  }

  takeBody(line: Line, chunk: Buffer, offset: number): void {
    this.#receivedBodyBytes += chunk.length;
    if (line.failure !== undefined) {
      // What an error says is worth reading: its code stands in the body.
      if (offset === 0) line.failure += `: ${chunk.toString('utf8', 0, 200)}`;
      return;
    }
    if (!line.isCompared) return;
    if (this.#source.answerPattern?.matches(chunk, offset, line.exchange.number) === false) {
      line.failure = `other bytes than were stored, within ${chunk.length} from ${offset}`;
    }
  }

  takeEnd(line: Line): void {
    const nowMs = performance.now();
    this.#histogram.add(nowMs - line.startMs);
    this.#finished += 1;
    this.#endMs = nowMs;
    if (line.failure !== undefined) this.#countFailure(line);
    else if (line.isCompared) this.#compared += 1;
    this.#startNext(line, nowMs);
  }

  #countFailure(line: Line): void {
    this.#failures += 1;
    if (this.#failureTexts.length < FAILURE_TEXTS_MAX && line.failure !== undefined) {
      this.#failureTexts.push(line.failure);
    }
    if (this.#failures >= FAILURES_MAX) this.#deadlineMs = 0;
    line.failure = undefined;
  }

  #startNext(line: Line, nowMs: number): void {
    if (nowMs >= this.#deadlineMs || this.#started >= this.#requestsMax) {
      if (this.#finished === this.#started) this.#done.resolve();
      return;
    }
    const index = this.#started;
    this.#started += 1;
    const exchange = line.lane.next(index);
    line.exchange = exchange;
    line.isCompared =
      this.#source.answerPattern !== undefined && index % this.#plan.compareEvery === 0;
    line.startMs = performance.now();
    // A client of such a server pays for the connection too; it writes once that stands.
    if (line.isClosing) line.reconnect();
    const [first, rest] = exchange.pieces;
    if (rest === undefined) {
      line.socket.write(first ?? '');
      return;
    }
    line.socket.cork();
    line.socket.write(first ?? '');
    line.socket.write(rest);
    line.socket.uncork();
  }
}

/** A connection and the request under way on it. */
type Line = {
  socket: Socket;
  readonly lane: Lane;
  readonly reconnect: () => void;
  /** The server ends this connection after its answer. */
  isClosing: boolean;
  exchange: Exchange;
  startMs: number;
  isCompared: boolean;
  failure: string | undefined;
};

const NO_EXCHANGE: Exchange = { pieces: [], number: 0, answerBytes: undefined };

type LineParts = {
  readonly plan: Plan;
  readonly source: RequestSource;
  readonly readBuffer: Buffer;
};

async function openLine(run: LoadRun, parts: LineParts): Promise<Line> {
  const open = () => openSocket(run, parts, () => line);
  const line: Line = {
    socket: open(),
    lane: parts.source.openLane(),
    reconnect: () => {
      line.isClosing = false;
      line.socket.destroy();
      line.socket = open();
    },
    isClosing: false,
    exchange: NO_EXCHANGE,
    startMs: 0,
    isCompared: false,
    failure: undefined,
  };
  await once(line.socket, 'connect');
  return line;
}

function openSocket(run: LoadRun, parts: LineParts, lineOf: () => Line): Socket {
  const { plan, source, readBuffer } = parts;
  const reader = new AnswerReader(
    {
      onHead: (status, fields) => run.takeHead(lineOf(), status, fields),
      onBody: (chunk, offset) => run.takeBody(lineOf(), chunk, offset),
      onEnd: () => run.takeEnd(lineOf()),
    },
    { hasNoBodies: source.answersWithoutBody },
  );
  const socket = connect({
    host: plan.host,
    port: plan.port,
    noDelay: true,
    onread: {
      buffer: readBuffer,
      callback: (length) => {
        try {
          reader.push(readBuffer.subarray(0, length));
        } catch (error) {
          run.breakOff(error instanceof Error ? error : new Error(String(error)));
        }
        return true;
      },
    },
  });
  const breakOff = (error: Error) => {
    const line = lineOf();
    // One that was said to end, or was replaced, may do so.
    if (line.socket !== socket || line.isClosing) return;
    const words = line.failure === undefined ? '' : ` after ${line.failure}`;
    run.breakOff(new Error(`${error.message}${words}`, { cause: error }));
  };
  socket.on('error', breakOff);
  socket.on('end', () => breakOff(new Error('The server closed a connection.')));
  return socket;
}
