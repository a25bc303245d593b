import { S3_CODES, type S3Code } from './s3-codes.ts';

/** Elements that stand in an error beside its code; clients read some of them. */
export type RefusalFacts = Readonly<Record<string, string | number>>;

/** Codes that say nothing of what is wrong. */
type VagueCode = 'BadRequest' | 'InvalidArgument' | 'InvalidRequest';

/** A request refused by this dialect itself; what the core refuses is a `ServiceError`. */
export class S3Refusal extends Error {
  readonly code: S3Code;
  readonly facts: RefusalFacts;

  /** `message` is the code's own words unless better ones are given; vague codes need them. */
  constructor(code: S3Code, message: string, facts?: RefusalFacts);
  constructor(code: Exclude<S3Code, VagueCode>, message?: string, facts?: RefusalFacts);
  constructor(code: S3Code, message?: string, facts: RefusalFacts = {}) {
    super(message ?? S3_CODES[code].message);
    this.name = 'S3Refusal';
    this.code = code;
    this.facts = facts;
  }
}

/** An argument that is wrong, named with what was sent (the elements that s3-tests read). */
export function invalidArgument(message: string, name?: string, value?: string): S3Refusal {
  return new S3Refusal('InvalidArgument', message, {
    ...(name === undefined ? {} : { ArgumentName: name }),
    ...(value === undefined ? {} : { ArgumentValue: value }),
  });
}
