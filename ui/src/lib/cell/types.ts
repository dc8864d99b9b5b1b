// A machine's cellular path, by the names this panel uses. The shapes are the server's own.
import type { components } from '../api/schema';

type Schemas = components['schemas'];

export type Cell = Schemas['CellView'];
export type DropGap = Schemas['GapView'];
export type DeliveryRate = Schemas['RateView'];
/** A month against its plan. */
export type PlanUse = Schemas['PlanView'];
export type DataPlan = Schemas['DataPlanBody'];
