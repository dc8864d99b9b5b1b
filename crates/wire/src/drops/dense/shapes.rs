//! The shapes of entries: level, component, template of the message and template of the context. A
//! dictionary has a table of them, and a drop adds those that the dictionary does not know.

use std::collections::HashMap;
use std::sync::Arc;

use super::coder::{Broken, Coder, Field, Place, mix, mix_text};
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

/// A table of shapes.
#[derive(Debug, Clone, Default)]
pub(crate) struct Shapes {
    shapes: Vec<(Shape, u32)>,
    numbers: HashMap<Shape, usize>,
    components: Names,
    messages: Names,
    contexts: Names,
}

impl Shapes {
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
        self.numbers.insert(shape.clone(), self.shapes.len());
        self.shapes.push((shape, hash));
    }

    /// Writes or reads a shape and adds it when it is new; answers it with its hash. `before` are
    /// the hashes of the shapes of the entries before, the last one first.
    pub(crate) fn code<C: Coder>(
        &mut self,
        coder: &mut C,
        before: &[u32; 3],
        shape: Option<&Shape>,
        most: usize,
    ) -> Result<(Shape, u32), Broken> {
        let known = shape.and_then(|shape| self.numbers.get(shape));
        let place = Place {
            field: Field::Shape,
            contexts: &[
                mix(&[1, before[0], before[1], before[2]]),
                mix(&[2, before[0], before[1]]),
                mix(&[3, before[0]]),
                mix(&[4, before[1]]),
                5,
            ],
        };
        // 0 is one that is spelled out.
        let number = coder.number(&place, known.map_or(0, |number| *number as u128 + 1))?;
        if number == 0 {
            let shape = self.spelled(coder, shape, most)?;
            self.add(shape.clone());
            let hash = shape.hash();
            return Ok((shape, hash));
        }
        usize::try_from(number - 1)
            .ok()
            .and_then(|number| self.shapes.get(number))
            .cloned()
            .ok_or(Broken("an entry has a shape that was never told"))
    }

    fn spelled<C: Coder>(
        &self,
        coder: &mut C,
        shape: Option<&Shape>,
        most: usize,
    ) -> Result<Shape, Broken> {
        let place = Place {
            field: Field::Part,
            contexts: &[0],
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
            component: part(
                &self.components,
                SLOT_COMPONENT,
                shape.map(|s| &s.component),
            )?,
            message: part(&self.messages, SLOT_MESSAGE, shape.map(|s| &s.message))?,
            context: part(&self.contexts, SLOT_CONTEXT, shape.map(|s| &s.context))?,
        })
    }
}
