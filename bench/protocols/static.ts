/** Plain GETs of one path, for the servers that ours is measured beside. */
import { BodyPattern } from '../load/body-pattern.ts';
import type { Plan } from '../load/plan.ts';
import type { RequestSource } from './protocol.ts';
import { NUMBER_MARK, openTemplateLane } from './template-lane.ts';

export function staticSource(plan: Plan): RequestSource {
  const { sizeBytes, objects } = plan;
  const text = `GET /${objects.prefix}${NUMBER_MARK} HTTP/1.1\r\nHost: ${plan.host}:${plan.port}\r\n\r\n`;
  return {
    status: 200,
    answersWithoutBody: false,
    sentBodyBytes: 0,
    requestsMax: Number.MAX_SAFE_INTEGER,
    answerPattern: new BodyPattern(sizeBytes),
    openLane: () =>
      openTemplateLane({
        text,
        upload: undefined,
        answerBytes: sizeBytes,
        numberOf: (index) => objects.first + ((index * 7919) & (objects.count - 1)),
      }),
  };
}
