//! What people do: to one alert, and through a group to all of its members.

use wire::Micros;

use super::Engine;
use crate::life::{Act, ActError, Phase, act};

impl Engine {
    /// Does it; for a group or a path to its members too.
    ///
    /// # Errors
    /// There is no such alert, it is over, or the silence is too long.
    pub fn act(
        &mut self,
        id: u64,
        what: &Act,
        who: &str,
        note: &str,
        now: Micros,
    ) -> Result<(), ActError> {
        let members: Vec<u64> = self
            .alerts
            .values()
            .filter(|alert| alert.group == Some(id) && alert.is_open())
            .map(|alert| alert.id)
            .collect();
        let alert = self.alerts.get(&id).ok_or(ActError::NoSuchAlert(id))?;
        if alert.phase == Phase::Waiting && !matches!(what, Act::Note) {
            // It has not fired: nothing is there to be taken, and it may end by itself.
            return Err(ActError::NoSuchAlert(id));
        }
        self.act_on(id, what, who, note, now)?;
        for member in members {
            self.act_on(member, what, who, note, now)?;
        }
        if matches!(what, Act::Resolve { .. })
            && let Some(group) = self.alerts.get(&id).and_then(|alert| alert.group)
        {
            self.finish_group_when_empty(group, now);
        }
        self.send_due(now);
        Ok(())
    }

    fn act_on(
        &mut self,
        id: u64,
        what: &Act,
        who: &str,
        note: &str,
        now: Micros,
    ) -> Result<(), ActError> {
        let alert = self.alerts.get_mut(&id).ok_or(ActError::NoSuchAlert(id))?;
        let line = act::act(alert, what, who, note, now)?;
        let is_over = !alert.is_open();
        let is_news = line.is_some();
        if is_over && is_news && !matches!(what, Act::Note) {
            alert.change += 1;
        }
        let was_told = alert.told > 0;
        let place = super::place_of(alert);
        if let Some(line) = line {
            self.log(line);
            self.touch(id);
        }
        if matches!(what, Act::Unacknowledge) {
            self.plan_again(id, now);
        }
        if is_over && is_news && was_told && matches!(what, Act::Resolve { .. }) {
            self.plan_end(id, now);
        }
        if let Some(place) = place.filter(|_| is_over) {
            self.by_place.remove(&place);
            self.ended.insert(place.clone(), now);
            self.forget_state(&place);
        }
        Ok(())
    }
}
