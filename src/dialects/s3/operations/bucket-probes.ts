/** Configuration that no bucket has: tools look for it, and mean nothing by it. */
import { xmlText } from '../../../kit/xml/xml-format.ts';
import type { S3Deps } from '../deps.ts';
import { answerEmpty, answerXml } from '../wire/answers.ts';
import type { Call } from '../wire/exchange.ts';

/** Answers the empty configuration `root`, with the elements that it always has. */
export function emptyConfiguration(
  root: string,
  elements: Readonly<Record<string, string>> = {},
): (deps: S3Deps, call: Call) => Promise<void> {
  const content = Object.entries(elements).map(([name, value]) => xmlText(name, value));
  return async (_deps, call) => answerXml(call, root, ...content);
}

/** Deleting what is not there succeeds, as it does for objects. */
export async function deleteBucketDocument(_deps: S3Deps, call: Call): Promise<void> {
  answerEmpty(call, 204);
}
