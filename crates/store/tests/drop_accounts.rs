//! How well drops come, and what they cost.

mod support;

use store::{DataPlan, Delivery, PlanState, Store, StoreError};
use support::cell::{SIZE, drop, empty};
use support::{NOON, Place, batch, id};
use wire::{Heartbeat, Micros};

const MINUTE: i64 = 60_000_000;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;
/// Bytes that each drop of [`SIZE`] counts.
const COUNTED: u64 = SIZE + wire::drops::DROP_OVERHEAD_BYTES;

fn store_with(place: &Place, drops: impl IntoIterator<Item = store::ArrivedDrop>) -> Store {
    let store = place.with_machines(&["VM001"]);
    for drop in drops {
        store.cell().append_drop(drop).unwrap();
    }
    store
}

/// Drop `number`, made at that hour before or after noon.
fn hourly(number: u64) -> store::ArrivedDrop {
    empty("VM001", (7, number), (number as i64 - 24) * 60)
}

#[test]
fn delivery_looks_back_thirty_days_by_when_drops_were_made() {
    let place = Place::new();
    let mut late = empty("VM001", (7, 12), -20 * 24 * 60);
    late.received_at = NOON;
    let old = [1, 2, 3].map(|number| empty("VM001", (7, number), -40 * 24 * 60 + number as i64));
    let new = [10, 11, 14].map(|number| empty("VM001", (7, number), number as i64 - 30));
    let mut without_clock = empty("VM001", (8, 5), 0);
    without_clock.read.header.as_mut().unwrap().made_at = Micros(3_000_000);
    let store = store_with(
        &place,
        old.into_iter().chain(new).chain([late, without_clock]),
    );
    let by_cell = store
        .cell()
        .facts(&id("VM001"), NOON)
        .unwrap()
        .by_cell
        .unwrap();
    assert_eq!(
        by_cell,
        Delivery {
            expected: 5 + 1,
            arrived: 4 + 1
        }
    );
    assert!((by_cell.rate().unwrap() - 5.0 / 6.0).abs() < 1e-9);
    let later = NOON.plus_us(31 * DAY);
    assert_eq!(
        store.cell().facts(&id("VM001"), later).unwrap().by_cell,
        None
    );
}

#[test]
fn delivery_over_wifi_counts_up_to_the_newest_seq_that_anything_knows_of() {
    let place = Place::new();
    let store = place.with_machines(&["VM001"]);
    let by_wifi = |store: &Store| store.cell().facts(&id("VM001"), NOON).unwrap().by_wifi;
    store
        .cell()
        .append_drop(drop("VM001", (7, 1), 90..=95))
        .unwrap();
    assert_eq!(
        by_wifi(&store),
        None,
        "a machine without WiFi is not measured"
    );
    let mut new = batch("VM001", 7, 11..=40);
    new.refused_seqs = vec![41, 42];
    store.append_wait(new).unwrap();
    assert_eq!(
        by_wifi(&store),
        Some(Delivery {
            expected: 85,
            arrived: 32
        })
    );
    store.append_wait(batch("VM001", 7, 43..=95)).unwrap();
    assert_eq!(
        by_wifi(&store),
        Some(Delivery {
            expected: 85,
            arrived: 85
        })
    );
    let mut beat = Heartbeat::new(id("VM001"));
    (beat.epoch, beat.last_seq) = (Some(7), Some(110));
    store.record_heartbeat(&beat, NOON).unwrap();
    assert_eq!(
        by_wifi(&store),
        Some(Delivery {
            expected: 100,
            arrived: 85
        })
    );
    let later = NOON.plus_us(31 * DAY);
    assert_eq!(
        store.cell().facts(&id("VM001"), later).unwrap().by_wifi,
        None
    );
}

#[test]
fn the_month_is_counted_and_forecast_against_the_machines_plan_or_the_fleets() {
    let place = Place::new();
    // Twelve drops a day for ten days, and two of another month.
    let month = (1..=120).map(|number| empty("VM001", (7, number), (number as i64 - 120) * 120));
    let other = [121, 122].map(|number| empty("VM001", (7, number), 11 * 24 * 60 + number as i64));
    let store = store_with(&place, month.chain(other));
    let data = |now| store.cell().facts(&id("VM001"), now).unwrap().data;
    let now = data(NOON);
    assert_eq!(
        (now.month.as_str(), now.drops, now.used_bytes),
        ("2026-11", 120, 120 * COUNTED)
    );
    // Ten and a half days of twelve remain.
    let wanted = (120 + 126) * COUNTED;
    assert!(now.forecast_bytes.abs_diff(wanted) < 2 * COUNTED, "{now:?}");
    assert_eq!(
        (now.state, now.cost_cents, now.is_own_plan),
        (PlanState::Ok, 0.0, false)
    );
    assert_eq!(data(NOON.plus_us(12 * DAY)).month, "2026-12");

    let plan = |bytes, cents| DataPlan {
        monthly_bytes: Some(bytes),
        price_cents_per_mb: cents,
        currency: "USD".to_owned(),
    };
    let cell = store.cell();
    cell.set_data_plan(None, Some(&plan(120 * COUNTED + 1, 250.0)))
        .unwrap();
    let fleet = data(NOON);
    assert_eq!((fleet.state, fleet.is_own_plan), (PlanState::Warn, false));
    assert!((fleet.cost_cents - 120.0 * COUNTED as f64 / 1e6 * 250.0).abs() < 1e-6);
    assert!(fleet.forecast_cents > fleet.cost_cents * 2.0);
    cell.set_data_plan(Some(&id("VM001")), Some(&plan(120 * COUNTED, 0.0)))
        .unwrap();
    assert_eq!(
        (data(NOON).state, data(NOON).is_own_plan),
        (PlanState::Over, true)
    );
    cell.set_data_plan(Some(&id("VM001")), None).unwrap();
    assert_eq!(data(NOON), fleet);
    for bad in [
        plan(1, -1.0),
        plan(1, f64::NAN),
        DataPlan {
            currency: " ".into(),
            ..plan(1, 1.0)
        },
    ] {
        assert_eq!(
            cell.set_data_plan(None, Some(&bad)),
            Err(StoreError::BadPlan)
        );
    }
    assert_eq!(
        cell.data_plan(None).unwrap(),
        Some(plan(120 * COUNTED + 1, 250.0))
    );
}

#[test]
fn a_machine_that_is_removed_loses_its_plan_and_keeps_its_numbers() {
    let place = Place::new();
    let store = store_with(&place, [hourly(1), hourly(3)]);
    let plan = DataPlan {
        monthly_bytes: Some(5),
        ..DataPlan::default()
    };
    store
        .cell()
        .set_data_plan(Some(&id("VM001")), Some(&plan))
        .unwrap();
    store.remove_machine(&id("VM001")).unwrap();
    assert!(store.cell().facts(&id("VM001"), NOON).is_err());
    support::add_machine(&store, "VM001");
    let facts = store.cell().facts(&id("VM001"), NOON).unwrap();
    assert_eq!(
        (facts.last_drop, facts.data.is_own_plan, facts.gaps.len()),
        (None, false, 1)
    );
    assert!(store.cell().append_drop(hourly(3)).unwrap().is_repeat);
}
