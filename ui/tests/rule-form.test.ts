import { screen, waitFor, within } from '@testing-library/svelte';
import userEvent from '@testing-library/user-event';
import { expect, test } from 'vitest';

import { listOf, newRule, pairsOf, withPart } from '../src/lib/alerts/rules/draft';
import { aConfig, aRule } from './alerting';
import { MemoryServer } from './server';
import { openAt } from './window';

const last = (server: MemoryServer) => server.alerting.sent.at(-1);
const hidden = { hidden: true };

async function type(label: string, words: string) {
  const field = await screen.findByLabelText(label);
  await userEvent.clear(field);
  await userEvent.type(field, words);
}

test('a rule is written as a sentence, tried, and added; it can be taken back', async () => {
  const server = new MemoryServer();
  openAt('/alerts/rules', server);
  await userEvent.click(await screen.findByRole('link', { name: 'Add rule' }));
  await type('Name', 'Payment trouble');
  await type('How many', '5');
  await type('Components', 'payment, reader');
  await type('Within', '10');
  await userEvent.selectOptions(screen.getByLabelText('Severity'), 'critical');
  await userEvent.click(screen.getByRole('button', { name: 'Tell somebody', ...hidden }));
  const told = screen.getByLabelText('Told 1');
  expect(told).toHaveProperty('value', 'group:ops');
  await userEvent.click(screen.getByRole('button', { name: /Try it on/, ...hidden }));
  expect(await screen.findByText('Would have fired 4 times')).toBeTruthy();
  await userEvent.click(screen.getByRole('button', { name: 'Add rule', ...hidden }));
  expect(await screen.findByText('Payment trouble is added.')).toBeTruthy();
  expect(last(server)).toMatchObject({
    method: 'POST',
    path: '/api/alerts/rules',
    body: {
      name: 'Payment trouble',
      severity: 'critical',
      when: {
        kind: 'entries',
        count: 5,
        within_s: 600,
        filter: { level: 'ERROR', components: ['payment', 'reader'] },
      },
      tell: [{ who: 'group:ops', by: ['email'] }],
    },
  });
  await userEvent.click(screen.getByRole('button', { name: 'Undo' }));
  await waitFor(() => expect(last(server)?.method).toBe('DELETE'));
});

test('a rule is edited; the one before comes back', async () => {
  const server = new MemoryServer();
  const rules = [aRule('down', { name: 'Payment System Down' })];
  server.alerting.config = aConfig({ rules });
  openAt('/alerts/rules?edit=down', server);
  await userEvent.selectOptions(await screen.findByLabelText('What happens'), 'silence');
  await type('Silent on WiFi for', '45');
  await userEvent.click(screen.getByText('When nobody answers, and how it ends'));
  await userEvent.click(screen.getByRole('button', { name: 'Add a step', ...hidden }));
  const step = await screen.findByRole('region', { name: 'Step 1', ...hidden });
  await userEvent.click(within(step).getByRole('button', { name: 'Tell somebody', ...hidden }));
  await userEvent.click(screen.getByRole('button', { name: 'Save', ...hidden }));
  expect(await screen.findByText('Payment System Down is changed.')).toBeTruthy();
  expect(last(server)?.body).toMatchObject({
    id: 'down',
    when: { kind: 'silence', path: 'any', wifi_s: 2700 },
    escalate: [{ after_s: 900, tell: [{ who: 'group:ops' }] }],
  });
  await userEvent.click(screen.getByRole('button', { name: 'Undo' }));
  await waitFor(() => expect(last(server)?.body).toEqual(rules[0]));
});

test('what is missing or wrong is said, and what was typed stays', async () => {
  const server = new MemoryServer();
  openAt('/alerts/rules?new', server);
  await userEvent.click(await screen.findByRole('button', { name: 'Add rule', ...hidden }));
  expect(await screen.findByText(/A name is needed/)).toBeTruthy();
  await type('Name', 'Door');
  server.alerting.wrong = [{ place: 'rules[9] "Door"', words: 'the pattern "(" cannot be used' }];
  await userEvent.click(screen.getByRole('button', { name: 'Add rule', ...hidden }));
  expect(await screen.findByText(/the pattern "\(" cannot be used/)).toBeTruthy();
  expect(screen.getByLabelText('Name')).toHaveProperty('value', 'Door');
});

test('lists, pairs and parts of a filter are read as people type them', () => {
  expect(listOf(' payment,, reader ,')).toEqual(['payment', 'reader']);
  expect(pairsOf('event = sale, product=hand soap, =x, y')).toEqual({
    event: 'sale',
    product: 'hand soap',
  });
  expect(withPart({ level: 'ERROR', text: 'jam' }, 'text', '')).toEqual({ level: 'ERROR' });
  expect(withPart({}, 'components', ['a'])).toEqual({ components: ['a'] });
  expect(newRule()).not.toBe(newRule());
});
