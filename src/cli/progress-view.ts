/** The bar of a long command: one line on the terminal, drawn over and taken away in the end. */
import type { UpkeepProgress, UpkeepStep } from '../core/ports/upkeep-progress.ts';
import { bytesText } from './bytes-text.ts';
import type { Terminal } from './cli-world.ts';

export type ShownProgress = {
  /** Whether a bar was asked for or refused; `undefined`: as the terminal is. */
  readonly progress?: boolean | undefined;
  readonly quiet?: boolean | undefined;
};

export type ProgressView = {
  readonly update: (progress: UpkeepProgress) => void;
  /** Takes the bar away. */
  readonly end: () => void;
};

const DRAW_EVERY_MS = 100;
const CELLS = 24;
/** To the start of the line, and what stands there away. */
const CLEAR = '\r\u001b[K';

const WORDS: Readonly<Record<UpkeepStep, string>> = {
  rows: 'Rows',
  metadata: 'Metadata',
  blobs: 'Blobs',
  segments: 'Segments',
  kept: 'Files and segments',
};

export function progressView(terminal: Terminal, shown: ShownProgress): ProgressView {
  const isShown = shown.progress ?? (terminal.hasBars && shown.quiet !== true);
  if (!isShown) return { update: () => undefined, end: () => undefined };
  let step: UpkeepStep | undefined;
  let startedMs = 0;
  let drawnMs = Number.NEGATIVE_INFINITY;
  return {
    update: (progress) => {
      const nowMs = terminal.elapsedMs();
      if (progress.step !== step) {
        step = progress.step;
        startedMs = nowMs;
        drawnMs = Number.NEGATIVE_INFINITY;
      }
      if (nowMs - drawnMs < DRAW_EVERY_MS) return;
      drawnMs = nowMs;
      terminal.writeNote(`${CLEAR}${progressLine(progress, (nowMs - startedMs) / 1000)}`);
    },
    end: () => {
      if (step !== undefined) terminal.writeNote(CLEAR);
    },
  };
}

/** `Blobs [######------] 52 %  1.3 GB of 2.5 GB  410 MB/s  0:03 left`; `seconds` since it began. */
export function progressLine({ step, done, total }: UpkeepProgress, seconds: number): string {
  const word = WORDS[step];
  const isBytes = step !== 'rows' && step !== 'kept';
  const amount = (count: number) => (isBytes ? bytesText(count) : count.toLocaleString('en-US'));
  const rate = seconds > 0 ? done / seconds : 0;
  const speed = rate > 0 ? `  ${amount(Math.round(rate))}/s` : '';
  if (total === undefined) return `${word}  ${amount(done)}${speed}`;
  const share = total === 0 ? 1 : Math.min(1, done / total);
  const filled = Math.round(share * CELLS);
  const bar = `[${'#'.repeat(filled)}${'-'.repeat(CELLS - filled)}]`;
  const percent = String(Math.floor(share * 100)).padStart(3);
  const left = rate > 0 ? `  ${timeText((total - done) / rate)} left` : '';
  return `${word} ${bar} ${percent} %  ${amount(done)} of ${amount(total)}${speed}${left}`;
}

function timeText(seconds: number): string {
  const whole = Math.max(0, Math.ceil(seconds));
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  const two = (count: number) => String(count).padStart(2, '0');
  return hours > 0
    ? `${hours}:${two(minutes)}:${two(whole % 60)}`
    : `${minutes}:${two(whole % 60)}`;
}
