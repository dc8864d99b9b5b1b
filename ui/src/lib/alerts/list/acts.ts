// What people do to alerts: each says that it was done and offers the way back, or says why it was not.
import { dayOf, minuteOf } from '../../format/time';
import { plain } from '../../logs/escape';
import type { Undo } from '../../ui/undo.svelte';
import type { AlertsState } from '../alerts.svelte';
import type { Alert } from '../types';

export class Acts {
  constructor(
    readonly alerts: AlertsState,
    readonly undo: Undo,
  ) {}

  acknowledge(alert: Alert, note = ''): Promise<boolean> {
    const api = this.alerts.client.alerts;
    return this.#do(alert, 'not acknowledged', async () => {
      await api.acknowledge(alert.id, note);
      this.undo.offer({
        words: `${named(alert)}: you have it. Nobody is told again.`,
        undo: () => this.#back(() => api.unacknowledge(alert.id)),
      });
    });
  }

  /** Gives it back: repeats and escalation go on. */
  giveBack(alert: Alert): Promise<boolean> {
    const api = this.alerts.client.alerts;
    return this.#do(alert, 'not given back', async () => {
      await api.unacknowledge(alert.id);
      this.undo.offer({
        words: `${named(alert)}: nobody has it now.`,
        undo: () => this.#back(() => api.acknowledge(alert.id, alert.acknowledged_note ?? '')),
      });
    });
  }

  /** Null ends the silence. */
  silence(alert: Alert, until: Date | null): Promise<boolean> {
    const api = this.alerts.client.alerts;
    const before = alert.silenced_until ? new Date(alert.silenced_until) : null;
    return this.#do(alert, 'not silenced', async () => {
      await api.silence(alert.id, until);
      const words = until
        ? `nobody is told until ${dayOf(until)} ${minuteOf(until)}`
        : 'people are told again';
      this.undo.offer({
        words: `${named(alert)}: ${words}.`,
        undo: () => this.#back(() => api.silence(alert.id, before)),
      });
    });
  }

  note(alert: Alert, note: string): Promise<boolean> {
    return this.#do(alert, 'no note was kept', async () => {
      await this.alerts.client.alerts.note(alert.id, note);
      this.undo.offer({ words: `${named(alert)}: the note is kept.` });
    });
  }

  resolve(alert: Alert, note: string, visit: boolean): Promise<boolean> {
    return this.#do(alert, 'not resolved', async () => {
      await this.alerts.client.alerts.resolve(alert.id, note, visit);
      this.undo.offer({ words: `${named(alert)} is over. If it happens again, a new one begins.` });
    });
  }

  async #do(alert: Alert, not: string, act: () => Promise<void>): Promise<boolean> {
    let done = true;
    try {
      await act();
    } catch (error) {
      done = false;
      const why = error instanceof Error ? error.message : String(error);
      this.undo.failed(`${named(alert)}: ${not}. ${why}`);
    }
    await this.alerts.load();
    return done;
  }

  async #back(act: () => Promise<unknown>): Promise<void> {
    await act();
    await this.alerts.load();
  }
}

function named({ alert_type: issue, machines }: Alert): string {
  const only = machines.length === 1 ? ` of ${machines[0]?.id}` : '';
  return plain(`${issue}${only}`);
}
