/** How a command answers: one JSON document for programs, or text for people. */
import { styleText } from 'node:util';
import type { CliFailure } from './cli-failure.ts';
import type { Terminal } from './cli-world.ts';

export type AnswerOptions = { readonly json: boolean };

/** Writes a result: `document` as JSON, or `text` as it is. */
export function answer(
  terminal: Terminal,
  result: { readonly document: object; readonly text: string },
  options: AnswerOptions,
): void {
  const text = options.json ? JSON.stringify(result.document, null, 2) : result.text;
  terminal.writeResult(`${text}\n`);
}

/** Writes a failure: to programs where they look for the result, to people beside it. */
export function answerFailure(
  terminal: Terminal,
  failure: CliFailure,
  options: AnswerOptions,
): void {
  const { code, message, hint = null, requestId = null, stack } = failure;
  if (options.json) {
    const document = { error: { code, message, hint, requestId } };
    terminal.writeResult(`${JSON.stringify(document, null, 2)}\n`);
  } else {
    const word = terminal.hasColor
      ? styleText('red', 'pinfold:', { validateStream: false })
      : 'pinfold:';
    terminal.writeNote(`${word} ${message}\n`);
    if (hint !== null) terminal.writeNote(`  ${hint}\n`);
    if (requestId !== null) terminal.writeNote(`  Request id: ${requestId}\n`);
  }
  if (stack !== undefined) terminal.writeNote(`${stack}\n`);
}

/** Columns side by side, one line a row. */
export function columnsText(rows: readonly (readonly string[])[]): string {
  const shown = rows.map((row) => row.map(printable));
  const widths = (shown[0] ?? []).map((_, column) =>
    Math.max(...shown.map((row) => row[column]?.length ?? 0)),
  );
  return shown
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** Without control characters, by which a name could move the cursor or recolour the screen. */
function printable(text: string): string {
  return text.replace(/\p{Cc}/gu, '?');
}
