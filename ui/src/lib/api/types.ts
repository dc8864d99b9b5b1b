// What travels over the API, by the names the pages use. The shapes are the server's own:
// `schema.d.ts` is generated from its description (`cargo xtask types`).
import type { components } from './schema';

type Schemas = components['schemas'];

export type Level = Schemas['Level'];
/** Lightest first: the index of a level is its weight, and its place in every array of counts. */
export const LEVELS: readonly Level[] = ['DEBUG', 'INFO', 'WARN', 'ERROR', 'CRITICAL'];

export type LogEntry = Schemas['Entry'];
export type LogPage = Schemas['LogPage'];
export type HistogramAnswer = Schemas['HistogramView'];
export type ContextAnswer = Schemas['AroundView'];
export type Machine = Schemas['MachineView'];
export type Heartbeat = Schemas['Heartbeat'];
export type MachineList = Schemas['Machines'];
export type Status = Schemas['Color'];
export type AddedMachine = Schemas['MachineAdded'];
export type MachineKey = Schemas['MachineKey'];
export type PairingCode = Schemas['PairingCodeMade'];
export type NewMachine = Pick<Schemas['NewMachine'], 'machine_id'> & Partial<Schemas['NewMachine']>;
export type MachineChange = Partial<Schemas['MachineChange']>;
export type ServerInfo = Schemas['Info'];
export type EntriesEvent = Schemas['EntriesEvent'];
