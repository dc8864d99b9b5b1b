//! The shapes of entries: level, component, template of the message and template of the context. A
//! dictionary has a table of them, and a drop adds those that the dictionary does not know.

use std::collections::HashMap;
use std::sync::Arc;

use super::coder::{Broken, Coder, Field, Place, mix, mix_text};
use super::columns::Columns;
use crate::Level;

/// What a component is for a codec's statistics.
pub(crate) const SLOT_COMPONENT: u32 = 1;
/// What a template of a message is for a codec's statistics.
pub(crate) const SLOT_MESSAGE: u32 = 2;
/// What a template of a context is for a codec's statistics.
pub(crate) const SLOT_CONTEXT: u32 = 3;

/// All that entries of one kind have in common.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Shape {
    pub level: Level,
    pub component: Arc<str>,
    /// Template of the message.
    pub message: Arc<str>,
    /// Template of the context's JSON; empty for an empty one.
    pub context: Arc<str>,
}

impl Shape {
    /// A hash of its words, the same wherever it stands in a table.
    fn hash(&self) -> u32 {
        mix(&[
            u32::from(self.level.as_u8()),
            mix_text(&self.component),
            mix_text(&self.message),
            mix_text(&self.context),
        ])
    }
}

/// Texts by number.
#[derive(Debug, Clone, Default)]
struct Names {
    by_number: Vec<Arc<str>>,
    numbers: HashMap<Arc<str>, usize>,
}

impl Names {
    fn add(&mut self, name: &Arc<str>) {
        if !self.numbers.contains_key(name) {
            self.numbers.insert(name.clone(), self.by_number.len());
            self.by_number.push(name.clone());
        }
    }
}

/// The entries before: hashes of their shapes and of their components, the last one first.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Before {
    pub kinds: [u32; 3],
    pub components: [u32; 2],
    /// How many entries there were, and how many of them the dictionary did not know.
    pub entries: u32,
    pub strange: u32,
    /// The least level of any entry of the drop.
    pub least: u32,
}

impl Before {
    /// Whether the last two entries are of one component.
    pub(crate) fn is_same(&self) -> bool {
        self.components[0] == self.components[1]
    }
}

/// A table of shapes.
#[derive(Debug, Clone, Default)]
pub(crate) struct Shapes {
    shapes: Vec<(Shape, u32)>,
    numbers: HashMap<Shape, usize>,
    components: Names,
    /// The numbers of the shapes of each component.
    by_component: Vec<Vec<usize>>,
    messages: Names,
    contexts: Names,
    columns: Arc<Columns>,
    /// How many of the shapes are the dictionary's.
    closed: usize,
}

impl Shapes {
    /// Where the numbers of its templates lie.
    pub(crate) fn columns(&self) -> &Arc<Columns> {
        &self.columns
    }

    /// Takes what is known of where the numbers of its templates lie.
    pub(crate) fn set_columns(&mut self, columns: Columns) {
        self.columns = Arc::new(columns);
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.shapes.len()
    }

    /// Each shape, most frequent first as far as the dictionary knows.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Shape> {
        self.shapes.iter().map(|(shape, _)| shape)
    }

    /// Adds a shape at the end of the table, if it is new.
    pub(crate) fn add(&mut self, shape: Shape) {
        if self.numbers.contains_key(&shape) {
            return;
        }
        self.components.add(&shape.component);
        self.messages.add(&shape.message);
        self.contexts.add(&shape.context);
        let hash = shape.hash();
        let of_component = self.components.numbers.get(&shape.component).copied();
        let of_component = of_component.unwrap_or_default();
        if self.by_component.len() <= of_component {
            self.by_component.resize(of_component + 1, Vec::new());
        }
        self.by_component[of_component].push(self.shapes.len());
        self.numbers.insert(shape.clone(), self.shapes.len());
        self.shapes.push((shape, hash));
    }

    /// From here on, what is added is of one drop alone.
    pub(crate) fn close(&mut self) {
        self.closed = self.shapes.len();
    }

    /// Writes or reads a shape of the table itself and adds it.
    pub(crate) fn tell<C: Coder>(
        &mut self,
        coder: &mut C,
        shape: Option<&Shape>,
        most: usize,
    ) -> Result<Shape, Broken> {
        let component = self.component(coder, &Before::default(), shape, most)?;
        let shape = self.spelled(coder, component, 0, shape, most)?;
        self.add(shape.clone());
        Ok(shape)
    }

    /// Writes or reads the shape of an entry and adds it when it is new. How often a drop says what
    /// its dictionary does not know is of the machine and its program, so it is counted anew in
    /// each drop: what trained the dictionary knew everything.
    pub(crate) fn code<C: Coder>(
        &mut self,
        coder: &mut C,
        before: &Before,
        shape: Option<&Shape>,
        most: usize,
    ) -> Result<(Shape, Before), Broken> {
        let number = shape.and_then(|shape| self.numbers.get(shape)).copied();
        let is_known = number.is_some_and(|number| number < self.closed);
        let own = self.shapes.len() - self.closed;
        let mut now = *before;
        now.entries += 1;
        // As if there had been a strange entry among the sixteen before the first.
        let is_strange = coder.odds(
            u64::from(before.strange) * 2 + 1,
            u64::from(before.entries) * 2 + 16,
            !is_known,
        )?;
        let (shape, kind) = if is_strange {
            now.strange += 1;
            // Every other strange entry says something new.
            let is_new = own == 0
                || coder.odds(
                    own as u64 * 2 + 1,
                    u64::from(before.strange) * 2 + 2,
                    number.is_none(),
                )?;
            if is_new {
                let component = self.component(coder, before, shape, most)?;
                let shape = self.spelled(coder, component, before.least, shape, most)?;
                self.add(shape.clone());
                let hash = shape.hash();
                (shape, hash)
            } else {
                let number = number.map_or(0, |number| number - self.closed);
                let place = Place {
                    field: Field::Again,
                    contexts: &[own as u32, mix(&[1, before.kinds[0]]), mix(&[2])],
                };
                let number = coder.cell(&place, own as u64, number as u64)?;
                self.shapes[self.closed + number as usize].clone()
            }
        } else {
            self.known(coder, before, shape, number, most)?
        };
        now.kinds = [kind, before.kinds[0], before.kinds[1]];
        now.components = [mix_text(&shape.component), before.components[0]];
        Ok((shape, now))
    }

    /// A shape of the table: first the component, which is often the last one again; then which of
    /// its shapes.
    fn known<C: Coder>(
        &self,
        coder: &mut C,
        before: &Before,
        shape: Option<&Shape>,
        number: Option<usize>,
        most: usize,
    ) -> Result<(Shape, u32), Broken> {
        let component = self.component(coder, before, shape, most)?;
        let part = mix_text(&component);
        let same = u32::from(part == before.components[0]);
        let grave = before.least;
        let of_component = self.components.numbers.get(&component).copied();
        let list = of_component.and_then(|number| self.by_component.get(number));
        let list = list.map_or(&[][..], Vec::as_slice);
        let known = list.iter().position(|other| Some(*other) == number);
        let place = Place {
            field: Field::Shape,
            contexts: &[
                mix(&[5, part, grave]),
                mix(&[2, part, before.kinds[0], grave]),
                mix(&[1, part, before.kinds[0], before.kinds[1], grave]),
                mix(&[4, part, before.components[0], grave]),
                mix(&[3, part]),
                mix(&[6, part, grave, same]),
            ],
        };
        let number = coder.number(&place, known.unwrap_or_default() as u128)?;
        usize::try_from(number)
            .ok()
            .and_then(|number| list.get(number))
            .and_then(|number| self.shapes.get(*number))
            .cloned()
            .ok_or(Broken("an entry has a shape that was never told"))
    }

    fn component<C: Coder>(
        &self,
        coder: &mut C,
        before: &Before,
        shape: Option<&Shape>,
        most: usize,
    ) -> Result<Arc<str>, Broken> {
        const SAME: u128 = 0;
        const SPELLED: u128 = 1;
        let [last, second] = before.components;
        let place = Place {
            field: Field::Component,
            contexts: &[
                mix(&[5, before.least]),
                mix(&[3, before.least, last]),
                mix(&[1, before.least, before.kinds[0]]),
                mix(&[6, before.least, before.kinds[0], before.kinds[1]]),
                mix(&[7, before.kinds[0], before.kinds[1], before.kinds[2]]),
                mix(&[2, before.least, last, second]),
                4,
            ],
        };
        let number = shape.and_then(|s| self.components.numbers.get(&s.component));
        let same = |name: &Arc<str>| mix_text(name) == last;
        let wanted = match (shape, number) {
            (Some(shape), Some(_)) if same(&shape.component) => SAME,
            (_, Some(number)) => *number as u128 + SPELLED + 1,
            _ => SPELLED,
        };
        const BAD: Broken = Broken("an entry has a word that was never told");
        match coder.number(&place, wanted)? {
            SAME => self
                .components
                .by_number
                .iter()
                .find(|n| same(n))
                .cloned()
                .ok_or(BAD),
            SPELLED => {
                let text = shape.map_or("", |shape| &shape.component);
                coder.text(SLOT_COMPONENT, text, most).map(Arc::from)
            }
            number => usize::try_from(number - SPELLED - 1)
                .ok()
                .and_then(|number| self.components.by_number.get(number))
                .cloned()
                .ok_or(BAD),
        }
    }

    fn spelled<C: Coder>(
        &self,
        coder: &mut C,
        component: Arc<str>,
        least: u32,
        shape: Option<&Shape>,
        most: usize,
    ) -> Result<Shape, Broken> {
        let place = Place {
            field: Field::Part,
            contexts: &[mix(&[9, least]), mix(&[9, mix_text(&component), least])],
        };
        let level = shape.map_or(0, |shape| shape.level.as_u8());
        let level = coder.number(&place, level.into())?;
        let level = u8::try_from(level).ok().and_then(Level::from_u8);
        let level = level.ok_or(Broken("an entry has no level"))?;
        let mut part = |names: &Names, slot: u32, text: Option<&Arc<str>>| {
            let place = Place {
                field: Field::Part,
                contexts: &[mix(&[slot, level.as_u8().into()]), slot],
            };
            let known = text.and_then(|text| names.numbers.get(text));
            let number = coder.number(&place, known.map_or(0, |n| *n as u128 + 1))?;
            if number == 0 {
                let text = text.map_or("", |text| text);
                return coder.text(slot, text, most).map(Arc::from);
            }
            usize::try_from(number - 1)
                .ok()
                .and_then(|number| names.by_number.get(number))
                .cloned()
                .ok_or(Broken("an entry has a word that was never told"))
        };
        Ok(Shape {
            level,
            component,
            message: part(&self.messages, SLOT_MESSAGE, shape.map(|s| &s.message))?,
            context: part(&self.contexts, SLOT_CONTEXT, shape.map(|s| &s.context))?,
        })
    }
}
