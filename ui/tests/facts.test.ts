import { expect, test } from 'vitest';

import { facts } from '../src/lib/machine/facts';
import { aMachine } from './server';

function said(heartbeat: Record<string, unknown>): Record<string, string> {
  const machine = aMachine('VM001', { heartbeat: { machine_id: 'VM001', ...heartbeat } });
  return Object.fromEntries(
    facts(machine).map(({ name, value, grave }) => [name, grave ? `! ${value}` : value]),
  );
}

test('a machine that says nothing of itself has no facts', () => {
  expect(facts(aMachine('VM001'))).toEqual([]);
});

test('power, heat and signal ask for attention only when they are bad', () => {
  expect(
    said({
      cpu_temperature_c: 82.4,
      wifi_signal_dbm: -80,
      throttled: { now: ['under_voltage'], since_boot: ['under_voltage', 'throttled'] },
    }),
  ).toEqual({
    Processor: '! 82 °C',
    Power: '! too little voltage',
    'Power since boot': 'slowed down',
    'WiFi signal': '! -80 dBm',
  });
  expect(said({ cpu_temperature_c: 51, wifi_signal_dbm: -58, throttled: { now: [] } })).toEqual({
    Processor: '51 °C',
    'WiFi signal': '-58 dBm',
  });
});

test('an application that starts again and again is said so', () => {
  expect(said({ app: { starts_1h: 40, crash_loop: true, last_sale_age_s: 7200 } })).toEqual({
    Application: '! starts again and again: 40 starts in the last hour',
    'Last sale': '2 h before',
  });
  expect(said({ app: { starts_1h: 1, crash_loop: false } })).toEqual({
    Application: '1 start in the last hour',
  });
});

test('an input that cannot be read is named with its reason; one that is read is not', () => {
  const inputs = [
    { name: '/a.log', state: 'reading' },
    { name: '/b.log', state: 'failing', error: 'permission denied' },
    { name: 'socket', state: 'paused' },
  ];
  const machine = aMachine('VM001', { heartbeat: { machine_id: 'VM001', inputs } });
  expect(facts(machine).map(({ value }) => value)).toEqual([
    '/b.log failing: permission denied',
    'socket paused',
  ]);
});

test('settings that the machine did not keep are said with the reason', () => {
  const config = { version: 'a', state: 'rolled_back', error: 'the server was not reached' };
  expect(said({ config, gaps: 2, clock_offset_ms: -7_200_000 })).toEqual({
    'New settings': '! rolled back: the server was not reached',
    Gaps: '! 2 gaps',
    Clock: '! 2 h ahead',
  });
});
