/**
 * How an operation takes what a request may say (contracts/s3.md, "Corrections"): every header,
 * query parameter and document element of S3's public model is honoured, harmless or refused, and
 * none is dropped. `tests/wire/s3/parameters.test.ts` holds the tables against that model.
 */
import type { S3Code } from '../wire/s3-codes.ts';

export type RefusedParameter = {
  readonly code: S3Code;
  readonly reason: string;
};

export type ParameterRules = {
  /** The operation reads it, and may still refuse what it says. Headers in lower case. */
  readonly honoured: readonly string[];
  /** Whatever it says changes nothing here. */
  readonly harmless: readonly string[];
  /** Refused with a code of its own; what no list has is `NotImplemented` without a reason. */
  readonly refused: Readonly<Record<string, RefusedParameter>>;
};

export type OperationParameters = {
  readonly headers: ParameterRules;
  readonly query: ParameterRules;
  /** Of its document, as paths below the root. */
  readonly elements: ParameterRules;
};

const NO_RULES: ParameterRules = { honoured: [], harmless: [], refused: {} };

/** Rules for one operation, of what it has. */
export function parameters(rules: {
  readonly headers?: Partial<ParameterRules>;
  readonly query?: Partial<ParameterRules>;
  readonly elements?: Partial<ParameterRules>;
}): OperationParameters {
  return {
    headers: { ...NO_RULES, ...rules.headers },
    query: { ...NO_RULES, ...rules.query },
    elements: { ...NO_RULES, ...rules.elements },
  };
}

/** One refusal for all of `names`. */
export function refusedAs(
  code: S3Code,
  reason: string,
  names: readonly string[],
): Readonly<Record<string, RefusedParameter>> {
  return Object.fromEntries(names.map((name) => [name, { code, reason }]));
}
