// A rule as a sentence: when it holds, of which machines, and who is told how soon. Pure.
import { duration } from '../../format/time';
import type { AlertConfig, Condition, Filter, Rule, Way } from '../config';

const WAY: Record<Way, string> = { any: 'any path', wifi: 'WiFi', cell: 'cellular' };

/** "When 5 or more ERROR of payment within 10 min, tell Operations by email at once". */
export function sentenceOf(rule: Rule, config: AlertConfig): string {
  const { scope, for_s: lasts, repeat_s: repeat } = rule;
  const only = [...(scope.machines ?? []), ...(scope.tags ?? []), ...(scope.sites ?? [])];
  const of = only.length > 0 ? ` of ${only.join(', ')}` : '';
  const long = lasts > 0 ? ` for ${time(lasts)}` : '';
  const again = repeat > 0 ? `, again every ${time(repeat)} until acknowledged` : '';
  return `When ${conditionOf(rule.when)}${of}${long}, ${tellOf(rule, config)}${again}.`;
}

export function conditionOf(when: Condition): string {
  switch (when.kind) {
    case 'entries': {
      const { count = 1, within_s: within = 0 } = when;
      if (count <= 1) return `there is ${entriesOf(when.filter)}`;
      return `there are ${count} or more ${entriesOf(when.filter)} within ${time(within)}`;
    }
    case 'stays':
      return `${entriesOf(when.begins)} is not ended by ${entriesOf(when.ends)}`;
    case 'silence': {
      const cell = when.cell_s ? `, or ${time(when.cell_s)} by cellular` : '';
      return `nothing is heard by ${WAY[when.path ?? 'any']} for ${time(when.wifi_s)}${cell}`;
    }
    case 'value':
      return `${when.field} of ${entriesOf(when.filter)} is ${when.side ?? 'below'} ${when.limit}`;
    case 'flapping':
      return `the link (${WAY[when.path ?? 'any']}) changes ${when.changes} times within ${time(when.within_s)}`;
    case 'gap':
      return `${when.missing ?? 1} or more entries are missing`;
    case 'budget':
      return `${Math.round(when.share * 100)} % of the data plan is used or it will not last`;
    case 'none':
      return `there is no ${entriesOf(when.filter)} for ${when.open_hours} opening hours`;
  }
}

function entriesOf(filter: Filter): string {
  const { level, components = [], text, pattern, template, context = {} } = filter;
  const parts = [level ? `${level} or worse` : 'entry'];
  if (components.length > 0) parts.push(`of ${components.join(', ')}`);
  if (text) parts.push(`with “${text}”`);
  if (pattern) parts.push(`like ${pattern}`);
  if (template) parts.push(`saying “${template}”`);
  for (const [name, value] of Object.entries(context)) parts.push(`with ${name} = ${value}`);
  return parts.join(' ');
}

function tellOf({ tell, deliver }: Rule, { people, groups }: AlertConfig): string {
  if (tell.length === 0) return 'show it and tell nobody';
  const named = (who: string) => {
    const id = who.split(':')[1];
    return [...people, ...groups].find((one) => one.id === id)?.name ?? 'the owner';
  };
  const who = tell.map((one) => `${named(one.who)} by ${one.by.join(' and ')}`).join(', ');
  const SOON = { at_once: 'at once', within: 'within', hourly: 'hourly', daily: 'daily' };
  const soon = deliver.how === 'within' ? `within ${time(deliver.s)}` : SOON[deliver.how];
  return `tell ${who} ${soon}`;
}

function time(seconds: number): string {
  return duration(seconds * 1000);
}
