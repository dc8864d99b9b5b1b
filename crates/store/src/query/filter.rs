//! Which rows of a day match. Templates narrow: what a template alone decides is decided once a
//! template, not once a row. The text of the row itself has the last word.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use rusqlite::Row;
use serde_json::{Map, Value};
use wire::template::{self, Kind, Piece};

use crate::day::sentences::{Sentence, Sentences};
use crate::error::StoreError;
use crate::query::text::{self, Term, What};

/// Columns of `day::entries::COLUMNS` that a filter reads.
const TEMPLATE: usize = 5;
const PARAMS: usize = 6;
const CONTEXT: usize = 7;

/// The filter of one search over one day.
pub(crate) struct Filter<'a> {
    sentences: &'a Sentences,
    components: &'a [String],
    terms: &'a [Term],
    verdicts: RefCell<HashMap<i64, Rc<Verdict>>>,
}

/// What a template decides of its rows.
enum Verdict {
    /// None of them matches.
    Never,
    /// These terms remain to be looked for in each row.
    Open(Vec<Open>),
}

/// A term that the template leaves open.
struct Open {
    term: usize,
    /// The message can hold the text; else only the context can.
    in_message: bool,
}

impl<'a> Filter<'a> {
    pub(crate) fn new(
        sentences: &'a Sentences,
        components: &'a [String],
        terms: &'a [Term],
    ) -> Filter<'a> {
        Filter {
            sentences,
            components,
            terms,
            verdicts: RefCell::default(),
        }
    }

    /// Whether no row of the day can match.
    pub(crate) fn never(&self) -> bool {
        !self.components.is_empty() && !self.sentences.has_component(self.components)
    }

    /// Whether a row of `day::entries::COLUMNS` matches.
    pub(crate) fn matches(&self, row: &Row<'_>) -> Result<bool, StoreError> {
        if self.components.is_empty() && self.terms.is_empty() {
            return Ok(true);
        }
        let template: i64 = row.get(TEMPLATE)?;
        let Some(sentence) = self.sentences.get(template) else {
            return Err(StoreError::Failed(format!(
                "template {template} is missing"
            )));
        };
        match &*self.verdict(template, sentence) {
            Verdict::Never => Ok(false),
            Verdict::Open(open) if open.is_empty() => Ok(true),
            Verdict::Open(open) => self.matches_text(open, sentence, row),
        }
    }

    fn verdict(&self, template: i64, sentence: &Sentence) -> Rc<Verdict> {
        let mut verdicts = self.verdicts.borrow_mut();
        verdicts
            .entry(template)
            .or_insert_with(|| Rc::new(self.judge(sentence)))
            .clone()
    }

    fn judge(&self, sentence: &Sentence) -> Verdict {
        if !self.components.is_empty() && !self.components.contains(&sentence.component) {
            return Verdict::Never;
        }
        let component = text::fold(&sentence.component);
        let literals = Literals::of(&sentence.template);
        let mut open = Vec::new();
        for (place, term) in self.terms.iter().enumerate() {
            let What::Text(wanted) = &term.what else {
                open.push(Open {
                    term: place,
                    in_message: false,
                });
                continue;
            };
            if component.contains(wanted) || literals.contain(wanted) {
                if term.negated {
                    return Verdict::Never;
                }
            } else {
                open.push(Open {
                    term: place,
                    in_message: literals.holes_may_touch(wanted),
                });
            }
        }
        Verdict::Open(open)
    }

    fn matches_text(
        &self,
        open: &[Open],
        sentence: &Sentence,
        row: &Row<'_>,
    ) -> Result<bool, StoreError> {
        let mut message: Option<String> = None;
        let mut context: Option<Context> = None;
        for open in open {
            let term = &self.terms[open.term];
            let mut found = false;
            if open.in_message
                && let What::Text(wanted) = &term.what
            {
                let message = match &message {
                    Some(message) => message,
                    None => message.insert(read_message(sentence, row)?),
                };
                found = message.contains(wanted);
            }
            if !found {
                let context = match &mut context {
                    Some(context) => context,
                    None => context.insert(Context::read(row)?),
                };
                found = context.has(&term.what);
            }
            if found == term.negated {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

fn read_message(sentence: &Sentence, row: &Row<'_>) -> Result<String, StoreError> {
    let params = row
        .get_ref(PARAMS)?
        .as_blob()
        .map_err(rusqlite::Error::from)?;
    let message = template::join(&sentence.template, params)
        .map_err(|error| StoreError::Failed(error.to_string()))?;
    Ok(text::fold(&message))
}

/// A row's context, read when a term needs it.
#[derive(Default)]
struct Context {
    fields: Map<String, Value>,
    lines: Option<Vec<String>>,
}

impl Context {
    fn read(row: &Row<'_>) -> Result<Context, StoreError> {
        let json = row
            .get_ref(CONTEXT)?
            .as_str_or_null()
            .map_err(rusqlite::Error::from)?;
        let fields = match json {
            Some(json) => serde_json::from_str(json)
                .map_err(|error| StoreError::Failed(format!("a context is damaged: {error}")))?,
            None => Map::new(),
        };
        Ok(Context {
            fields,
            lines: None,
        })
    }

    fn has(&mut self, what: &What) -> bool {
        match what {
            What::Field { name, value } => text::has_field(&self.fields, name, value),
            What::Text(wanted) => self
                .lines
                .get_or_insert_with(|| text::context_lines(&self.fields))
                .iter()
                .any(|line| line.contains(wanted)),
        }
    }
}

/// The text that all messages of a template share, and what can stand in its holes.
struct Literals {
    /// Folded, unbroken by holes.
    texts: Vec<String>,
    holes: bool,
    /// Every hole holds digits and signs only.
    only_numbers: bool,
}

impl Literals {
    fn of(template: &str) -> Literals {
        let mut texts = vec![String::new()];
        let (mut holes, mut only_numbers) = (false, true);
        for piece in template::pieces(template) {
            match piece {
                Ok(Piece::Text(text)) => {
                    if let Some(last) = texts.last_mut() {
                        last.push_str(text);
                    }
                }
                Ok(Piece::Hole(kind)) => {
                    holes = true;
                    only_numbers &= kind == Kind::Int;
                    texts.push(String::new());
                }
                Err(_) => (holes, only_numbers) = (true, false),
            }
        }
        texts.iter_mut().for_each(|text| *text = text::fold(text));
        Literals {
            texts,
            holes,
            only_numbers,
        }
    }

    fn contain(&self, wanted: &str) -> bool {
        self.texts.iter().any(|text| text.contains(wanted))
    }

    /// Whether a text that no literal contains may still be in a message: then a hole has a part
    /// of it, and a number has no letters or spaces.
    fn holes_may_touch(&self, wanted: &str) -> bool {
        self.holes && !(self.only_numbers && wanted.chars().all(|c| c.is_alphabetic()))
    }
}
