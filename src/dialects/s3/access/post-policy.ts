import { S3Refusal } from '../wire/s3-refusal.ts';
import type { PolicyCondition, PostPolicy } from './parse-post-policy.ts';

/** By lower-case name, with the key as it will be and the bucket of the address. */
type Fields = ReadonlyMap<string, string>;

/** What no condition need speak of: the proof itself, and what its maker says is nothing to us. */
const UNCOVERED: ReadonlySet<string> = new Set(['policy', 'x-amz-signature', 'file']);
const IGNORED_PREFIX = 'x-ignore-';

/** Holds a form against its policy; the size of its file is left. Throws `AccessDenied`. */
export function checkPostPolicy(
  { expiresAtMs, conditions }: PostPolicy,
  { fields, now }: { readonly fields: Fields; readonly now: number },
): void {
  if (now >= expiresAtMs) throw againstPolicy('Policy expired.');
  for (const condition of conditions) {
    if (!isMet(condition, fields.get(condition.field) ?? '')) {
      const { kind, field, value } = condition;
      const said = [kind, `$${field}`, value].map((one) => JSON.stringify(one)).join(', ');
      throw againstPolicy(`Policy Condition failed: [${said}]`);
    }
  }
  const covered = new Set(conditions.map(({ field }) => field));
  const extra = [...fields.keys()].filter(
    (name) => !covered.has(name) && !UNCOVERED.has(name) && !name.startsWith(IGNORED_PREFIX),
  );
  if (extra.length > 0) throw againstPolicy(`Extra input fields: ${extra.join(', ')}`);
}

function isMet({ kind, field, value }: PolicyCondition, actual: string): boolean {
  if (kind === 'eq') return actual === value;
  // A list of types begins with the prefix only if each of them does.
  const each = field === 'content-type' ? actual.split(',').map((one) => one.trim()) : [actual];
  return each.every((one) => one.startsWith(value));
}

function againstPolicy(problem: string): S3Refusal {
  return new S3Refusal('AccessDenied', `Invalid according to Policy: ${problem}`);
}
