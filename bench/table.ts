/** Columns for a terminal: words to the left, figures to the right. */

const WORD_COLUMNS = 2;

export function tableLines(cells: readonly (readonly string[])[]): readonly string[] {
  const columns = Math.max(...cells.map((line) => line.length));
  const widths = Array.from({ length: columns }, (_, at) =>
    Math.max(...cells.map((line) => line[at]?.length ?? 0)),
  );
  return cells.map((line) =>
    line
      .map((cell, at) => {
        const width = widths[at] ?? 0;
        return at < WORD_COLUMNS ? cell.padEnd(width) : cell.padStart(width);
      })
      .join('  ')
      .trimEnd(),
  );
}
