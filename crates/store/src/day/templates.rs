//! A day's templates and components for the writer: what has which number, bounded.

use std::collections::HashMap;

use rusqlite::{Connection, OptionalExtension, params};
use wire::template::{self, RAW_TEMPLATE};

/// Beyond so many templates of one component in a day a message is kept whole under the raw
/// template: something in it varies that the rules do not see, and templates would be rows.
const TEMPLATES_PER_COMPONENT: u64 = 2_000;
/// Templates remembered; beyond it all are forgotten and looked up again when they come.
const REMEMBERED: usize = 50_000;

/// What has which number in one day file. Only true as long as its transactions commit.
#[derive(Default)]
pub(crate) struct TemplateBook {
    components: HashMap<String, Component>,
    remembered: usize,
    /// Uses that are not yet added to the counts in the file.
    uses: HashMap<i64, i64>,
}

struct Component {
    no: i64,
    known: u64,
    templates: HashMap<String, i64>,
}

/// Where an entry's sentence is kept.
pub(crate) struct Place {
    /// The component's number in the day file.
    pub(crate) component: i64,
    /// The template's number in the day file.
    pub(crate) template: i64,
    /// The parameters' blob.
    pub(crate) params: Vec<u8>,
}

impl TemplateBook {
    /// Splits a message and finds or makes its component and template.
    pub(crate) fn place(
        &mut self,
        conn: &Connection,
        component: &str,
        message: &str,
    ) -> rusqlite::Result<Place> {
        if self.remembered > REMEMBERED {
            self.components.clear();
            self.remembered = 0;
        }
        if !self.components.contains_key(component) {
            let found = load_component(conn, component)?;
            self.components.insert(component.to_owned(), found);
            self.remembered += 1;
        }
        let Some(book) = self.components.get_mut(component) else {
            return Err(rusqlite::Error::QueryReturnedNoRows);
        };
        let split = template::split(message);
        let found = match book.templates.get(&split.template) {
            Some(&no) => Some(no),
            None => {
                let found = book.find_or_make(conn, &split.template)?;
                if let Some(no) = found {
                    self.remembered += 1;
                    book.templates.insert(split.template.clone(), no);
                }
                found
            }
        };
        let (template, params) = match found {
            Some(no) => (no, template::encode_params(&split.params)),
            None => {
                let no = book.raw(conn)?;
                (no, template::encode_params(&template::raw(message).params))
            }
        };
        *self.uses.entry(template).or_insert(0) += 1;
        Ok(Place {
            component: book.no,
            template,
            params,
        })
    }

    /// Takes back the use of a template by a row that was not inserted.
    pub(crate) fn unuse(&mut self, template: i64) {
        *self.uses.entry(template).or_insert(0) -= 1;
    }

    /// Adds the uses since the last call to the counts in the file.
    pub(crate) fn write_counts(&mut self, conn: &Connection) -> rusqlite::Result<()> {
        let mut statement =
            conn.prepare_cached("UPDATE templates SET count = count + ?2 WHERE no = ?1")?;
        for (template, uses) in self.uses.drain() {
            statement.execute([template, uses])?;
        }
        Ok(())
    }
}

impl Component {
    /// The template's number; `None` when it is new and the component has too many.
    fn find_or_make(&mut self, conn: &Connection, text: &str) -> rusqlite::Result<Option<i64>> {
        let found = conn
            .prepare_cached("SELECT no FROM templates WHERE component = ?1 AND text = ?2")?
            .query_row(params![self.no, text], |row| row.get(0))
            .optional()?;
        if found.is_some() {
            return Ok(found);
        }
        if self.known >= TEMPLATES_PER_COMPONENT && text != RAW_TEMPLATE {
            return Ok(None);
        }
        conn.prepare_cached(
            "INSERT INTO templates (component, hash, text, count) VALUES (?1, ?2, ?3, 0)",
        )?
        .execute(params![self.no, template::hash(text), text])?;
        self.known += 1;
        Ok(Some(conn.last_insert_rowid()))
    }

    fn raw(&mut self, conn: &Connection) -> rusqlite::Result<i64> {
        if let Some(&no) = self.templates.get(RAW_TEMPLATE) {
            return Ok(no);
        }
        let made = self.find_or_make(conn, RAW_TEMPLATE)?;
        let no = made.ok_or(rusqlite::Error::QueryReturnedNoRows)?;
        self.templates.insert(RAW_TEMPLATE.to_owned(), no);
        Ok(no)
    }
}

fn load_component(conn: &Connection, name: &str) -> rusqlite::Result<Component> {
    let found: Option<i64> = conn
        .prepare_cached("SELECT no FROM components WHERE name = ?1")?
        .query_row([name], |row| row.get(0))
        .optional()?;
    let (no, known) = match found {
        Some(no) => {
            let known: i64 = conn
                .prepare_cached("SELECT count(*) FROM templates WHERE component = ?1")?
                .query_row([no], |row| row.get(0))?;
            (no, known as u64)
        }
        None => {
            conn.prepare_cached("INSERT INTO components (name) VALUES (?1)")?
                .execute([name])?;
            (conn.last_insert_rowid(), 0)
        }
    };
    Ok(Component {
        no,
        known,
        templates: HashMap::new(),
    })
}
