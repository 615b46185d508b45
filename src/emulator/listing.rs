//! Filters of listings as SQL, pages, and bookmarks, which make reading all pages linear.

use super::config::Config;
use crate::wire::Code;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// The API's largest page.
pub(super) const MAX_PAGE: u64 = 1000;

/// The decoded fields of a query string, in order and with repetitions.
#[derive(Debug, Clone, Default)]
pub(super) struct Query(Vec<(String, String)>);

impl Query {
    /// Parses the part of a URL after the question mark.
    pub(super) fn parse(text: &str) -> Self {
        Self(
            url::form_urlencoded::parse(text.as_bytes())
                .into_owned()
                .collect(),
        )
    }

    /// The fields of a query that has no text.
    pub(super) fn of(fields: Vec<(String, String)>) -> Self {
        Self(fields)
    }

    pub(super) fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        let pairs = self.0.iter();
        pairs.map(|(name, value)| (name.as_str(), value.as_str()))
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| name.as_str())
    }

    /// All values of a field that are not empty.
    pub(super) fn all(&self, name: &str) -> Vec<String> {
        let named = self.0.iter().filter(|(field, _)| field == name);
        named
            .map(|(_, value)| value.clone())
            .filter(|value| !value.is_empty())
            .collect()
    }

    /// The last value of a field, unless it is empty.
    pub(super) fn last(&self, name: &str) -> Option<&str> {
        let named = self.0.iter().rev().find(|(field, _)| field == name);
        named
            .map(|(_, value)| value.as_str())
            .filter(|value| !value.is_empty())
    }

    /// All values of a field of statuses, which may be given by their codes alone.
    pub(super) fn codes(&self, name: &str) -> Result<Vec<Code>, String> {
        let mut texts = self.all(name);
        texts.extend(self.all(&format!("{name}.code")));
        let parse = |text: String| Code::parse(&text).ok_or(text);
        let codes: Result<_, String> = texts.into_iter().map(parse).collect();
        codes.map_err(|text| format!("unknown status `{text}`"))
    }

    pub(super) fn flag(&self, name: &str) -> Result<bool, String> {
        match self.last(name) {
            None | Some("false" | "False" | "0") => Ok(false),
            Some("true" | "True" | "1") => Ok(true),
            Some(other) => Err(format!("`{name}` is `{other}`, but must be true or false")),
        }
    }
}

/// A range of a listing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Page {
    pub(super) offset: u64,
    pub(super) limit: u64,
}

impl Page {
    pub(super) const ALL: Self = Self {
        offset: 0,
        limit: u64::MAX,
    };

    /// Reads `page`, which counts from 1, and `per_page`, which is reduced to the maximum.
    pub(super) fn read(query: &Query, config: &Config) -> Result<Self, String> {
        Self::of(|name| query.last(name).map(ToOwned::to_owned), config)
    }

    /// Like [`Page::read`], with a function that returns the fields.
    pub(super) fn of(
        field: impl Fn(&str) -> Option<String>,
        config: &Config,
    ) -> Result<Self, String> {
        let number = |name: &str, default: u64| match field(name) {
            None => Ok(default),
            Some(text) => match text.parse() {
                Ok(number) if number > 0 => Ok(number),
                _ => Err(format!("`{name}` is `{text}`, but must be a number from 1")),
            },
        };
        let cap = config.page_cap.map_or(MAX_PAGE, u64::from);
        let limit = number("per_page", u64::from(config.default_page))?.min(cap.clamp(1, MAX_PAGE));
        let offset = (number("page", 1)? - 1).saturating_mul(limit);
        Ok(Self { offset, limit })
    }
}

/// The filter of a listing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Filter {
    pairs: Vec<(String, String)>,
    input_ids: Vec<String>,
    user_ids: Vec<String>,
    model_version_ids: Vec<String>,
    workflow_version_ids: Vec<String>,
    statuses: Vec<Code>,
    task_id: Option<String>,
    with_models: bool,
    hidden: Vec<(String, String)>,
}

/// A filter as SQL: conditions, each with a leading ` AND `, and their values.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Clause {
    pub(super) sql: String,
    pub(super) values: Vec<String>,
    /// The column of the order, `seq` or `+seq`. If inputs are given, the sign keeps the query planner from scanning the
    /// whole app in order instead of looking up the inputs.
    pub(super) order: &'static str,
}

impl Filter {
    /// All annotations.
    pub(super) fn everything() -> Self {
        Self {
            with_models: true,
            ..Self::default()
        }
    }

    /// The annotations of a task that people created. Empty lists match all users or statuses.
    pub(super) fn of_task(task_id: &str, user_ids: Vec<String>, statuses: Vec<Code>) -> Self {
        Self {
            task_id: Some(task_id.to_owned()),
            user_ids,
            statuses,
            ..Self::default()
        }
    }

    /// Reads the filters of `ListAnnotations`; other query fields are ignored.
    pub(super) fn read(query: &Query) -> Result<Self, String> {
        let ids = query.all("ids");
        let mut filter = Self {
            input_ids: query.all("input_ids"),
            user_ids: query.all("user_ids"),
            model_version_ids: query.all("model_version_ids"),
            workflow_version_ids: query.all("workflow_version_ids"),
            task_id: query.last("task_id").map(ToOwned::to_owned),
            with_models: query.flag("list_all_annotations")?,
            ..Self::default()
        };
        filter.statuses = query.codes("statuses")?;
        // No effect, because the output of models is stored as annotations here.
        query.flag("return_model_output")?;
        if !ids.is_empty() {
            if ids.len() != filter.input_ids.len() {
                return Err(format!(
                    "{} `ids`, but {} `input_ids`; they must form pairs",
                    ids.len(),
                    filter.input_ids.len()
                ));
            }
            filter.pairs = std::mem::take(&mut filter.input_ids)
                .into_iter()
                .zip(ids)
                .collect();
        }
        // Requests by id or creator include annotations of models.
        filter.with_models |= !filter.pairs.is_empty() || filter.names_makers();
        Ok(filter)
    }

    /// Excludes annotations, given by input id and id.
    pub(super) fn without(mut self, hidden: Vec<(String, String)>) -> Self {
        self.hidden = hidden;
        self
    }

    fn names_makers(&self) -> bool {
        !(self.user_ids.is_empty()
            && self.model_version_ids.is_empty()
            && self.workflow_version_ids.is_empty())
    }

    pub(super) fn clause(&self) -> Clause {
        let names_inputs = !self.pairs.is_empty() || !self.input_ids.is_empty();
        let mut clause = Clause {
            order: if names_inputs { "+seq" } else { "seq" },
            ..Clause::default()
        };
        if !self.pairs.is_empty() {
            let inputs: Vec<String> = self.pairs.iter().map(|(input, _)| input.clone()).collect();
            clause.any_of(&[("input_id", &inputs)]);
            clause.pairs("IN", &self.pairs);
        }
        if !self.hidden.is_empty() {
            clause.pairs("NOT IN", &self.hidden);
        }
        clause.any_of(&[("input_id", &self.input_ids)]);
        clause.any_of(&[
            ("user_id", &self.user_ids),
            ("model_version_id", &self.model_version_ids),
            ("workflow_version_id", &self.workflow_version_ids),
        ]);
        if !self.statuses.is_empty() {
            let codes: Vec<String> = self
                .statuses
                .iter()
                .map(|code| code.0.to_string())
                .collect();
            // Numbers need no placeholders.
            let _ = write!(clause.sql, " AND status IN ({})", codes.join(","));
        }
        if let Some(task) = &self.task_id {
            clause.any_of(&[("task_id", std::slice::from_ref(task))]);
        }
        if !self.with_models {
            clause.sql.push_str(" AND NOT model_made");
        }
        clause
    }
}

impl Clause {
    fn pairs(&mut self, operator: &str, pairs: &[(String, String)]) {
        let places = vec!["(?,?)"; pairs.len()].join(",");
        let _ = write!(self.sql, " AND (input_id, id) {operator} (VALUES {places})");
        for (input_id, id) in pairs {
            self.values.extend([input_id.clone(), id.clone()]);
        }
    }

    fn any_of(&mut self, columns: &[(&str, &[String])]) {
        let mut conditions = Vec::new();
        for (column, wanted) in columns {
            if !wanted.is_empty() {
                conditions.push(format!(
                    "{column} IN ({})",
                    vec!["?"; wanted.len()].join(",")
                ));
                self.values.extend_from_slice(wanted);
            }
        }
        if !conditions.is_empty() {
            let _ = write!(self.sql, " AND ({})", conditions.join(" OR "));
        }
    }
}

/// The ends of the pages that were read, so that the next page need not be counted from the beginning. Without them,
/// reading a million annotations in pages would skip over half a billion rows.
#[derive(Debug, Default)]
pub(super) struct Bookmarks {
    seen: (i64, u64),
    app: i64,
    clause: Clause,
    /// A number of annotations, and the `seq` of the last of them.
    ends: BTreeMap<u64, i64>,
}

impl Bookmarks {
    /// Clears the bookmarks if the database has changed: `version` counts writes of other connections, `changes` own ones.
    pub(super) fn see(&mut self, version: i64, changes: u64) {
        if self.seen != (version, changes) {
            self.seen = (version, changes);
            self.ends.clear();
        }
    }

    /// The nearest end at or before `offset`: the number of annotations, and the `seq` of the last of them.
    pub(super) fn nearest(&self, app: i64, clause: &Clause, offset: u64) -> (u64, i64) {
        if self.app != app || self.clause != *clause {
            return (0, 0);
        }
        let known = self.ends.range(..=offset).next_back();
        known.map_or((0, 0), |(count, last)| (*count, *last))
    }

    /// Stores that `last` is the `seq` of annotation number `count`.
    pub(super) fn mark(&mut self, app: i64, clause: Clause, count: u64, last: i64) {
        if self.app != app || self.clause != clause {
            self.ends.clear();
            self.app = app;
            self.clause = clause;
        }
        self.ends.insert(count, last);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_have_a_default_a_maximum_and_a_cap() {
        let read = |text: &str, page_cap| {
            let config = Config {
                page_cap,
                ..Config::default()
            };
            Page::read(&Query::parse(text), &config)
        };
        let page = |offset, limit| Ok(Page { offset, limit });
        assert_eq!(read("", None), page(0, 20));
        assert_eq!(read("page=3&per_page=50", None), page(100, 50));
        assert_eq!(read("page=2&per_page=5000", None), page(1000, 1000));
        assert_eq!(read("page=2&per_page=1000", Some(7)), page(7, 7));
        for bad in ["per_page=0", "per_page=many", "page=0", "page=-1", "page=x"] {
            assert!(read(bad, None).is_err(), "{bad}");
        }
    }

    #[test]
    fn repeated_fields_are_lists_and_are_decoded() {
        let query = Query::parse("input_ids=a%2Fb&input_ids=c+d&user_app_id.user_id=me");
        assert_eq!(query.all("input_ids"), ["a/b", "c d"]);
        assert_eq!(query.last("user_app_id.user_id"), Some("me"));
        assert_eq!(query.last("page"), None);
    }

    #[test]
    fn ids_and_input_ids_form_pairs() {
        assert!(Filter::read(&Query::parse("ids=a")).is_err());
        assert!(Filter::read(&Query::parse("ids=a&ids=b&input_ids=i")).is_err());
        let filter = Filter::read(&Query::parse("ids=a&ids=b&input_ids=i&input_ids=j")).unwrap();
        let pair = |input: &str, id: &str| (input.to_owned(), id.to_owned());
        assert_eq!(filter.pairs, [pair("i", "a"), pair("j", "b")]);
        assert!(filter.with_models);
    }

    #[test]
    fn a_filter_by_creator_includes_models() {
        for (text, with_models) in [
            ("input_ids=i", false),
            ("list_all_annotations=true", true),
            ("user_ids=u", true),
            ("model_version_ids=m", true),
            ("workflow_version_ids=w", true),
        ] {
            let filter = Filter::read(&Query::parse(text)).unwrap();
            assert_eq!(filter.with_models, with_models, "{text}");
        }
        assert!(Filter::read(&Query::parse("list_all_annotations=maybe")).is_err());
        assert!(Filter::read(&Query::parse("statuses=DONE")).is_err());
    }

    #[test]
    fn bookmarks_are_valid_for_one_listing_of_an_unchanged_database() {
        let clause = |sql: &str| Clause {
            sql: sql.to_owned(),
            ..Clause::default()
        };
        let mut bookmarks = Bookmarks::default();
        bookmarks.see(1, 1);
        bookmarks.mark(1, clause("a"), 10, 77);
        assert_eq!(bookmarks.nearest(1, &clause("a"), 15), (10, 77));
        assert_eq!(bookmarks.nearest(1, &clause("a"), 9), (0, 0));
        assert_eq!(bookmarks.nearest(1, &clause("b"), 15), (0, 0));
        assert_eq!(bookmarks.nearest(2, &clause("a"), 15), (0, 0));
        bookmarks.see(1, 1);
        assert_eq!(bookmarks.nearest(1, &clause("a"), 15), (10, 77));
        bookmarks.see(1, 2);
        assert_eq!(bookmarks.nearest(1, &clause("a"), 15), (0, 0));
    }
}
