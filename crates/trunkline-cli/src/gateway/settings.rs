//! [`Settings`]: what has been set, wherever that was, and what is wrong with it.
//!
//! Whoever asks for a setting names it; so it is known in the end which were asked for by
//! nobody, and all that is wrong is told at once.

use super::{
    file,
    problem::{Place, Problem},
    value::Read,
};
use std::{fmt, fs, path::Path};

/// What the names of environment variables begin with.
const PREFIX: &str = "TRUNKLINE_";
/// Says where the file is, and is no setting.
pub(super) const CONFIG: &str = "TRUNKLINE_CONFIG";
/// How much alike two names are, from 0 to 1, of which one may be the other misspelt.
const ALIKE: f64 = 0.75;

/// What has been set, wherever that was: flags go before environment variables, and these
/// before the file.
#[derive(Default)]
pub(super) struct Settings {
    flags: Vec<Given>,
    variables: Vec<(String, String)>,
    file: Vec<Given>,
    known: Vec<&'static str>,
    problems: Vec<Problem>,
}

/// One thing that has been set.
#[derive(Clone)]
pub(super) struct Given {
    /// `section.name`.
    pub(super) key: String,
    pub(super) value: Value,
    pub(super) place: Place,
}

/// To what.
#[derive(Clone)]
pub(super) enum Value {
    /// A text in the file.
    Text(String),
    /// What was typed on the command line, or into a variable, and may be anything.
    Typed(String),
    Number(i64),
    Truth(bool),
    List(Vec<Self>),
    /// What no setting is.
    Other(&'static str),
}

/// What has been set, and where.
pub(super) struct Found<T> {
    pub(super) value: T,
    pub(super) place: Place,
}

impl Settings {
    /// Sets something on the command line; what is set later goes before.
    pub(super) fn flag(&mut self, flag: &'static str, key: impl Into<String>, value: Value) {
        self.flags.push(Given { key: key.into(), value, place: Place::Flag(flag) });
    }

    /// Takes in what the environment sets.
    pub(super) fn variables(&mut self, all: impl IntoIterator<Item = (String, String)>) {
        self.variables.extend(all.into_iter().filter(|(name, _)| name.starts_with(PREFIX) && name != CONFIG));
    }

    /// Takes in what a file sets; `path` is where it is.
    pub(super) fn file(&mut self, path: &Path, text: &str) {
        let (given, problems) = file::read(path, text);
        self.file.extend(given);
        self.problems.extend(problems);
    }

    /// What a setting has been set to, if it was.
    pub(super) fn get<T: Read>(&mut self, key: &'static str) -> Option<T> {
        self.find(key).map(|found| found.value)
    }

    /// The same with where that was.
    pub(super) fn find<T: Read>(&mut self, key: &'static str) -> Option<Found<T>> {
        self.known.push(key);
        let Given { value, place, .. } = self.given(key)?;
        let read = match place {
            Place::File { .. } => expanded(value),
            _ => Ok(value),
        };
        match read.and_then(|value| T::read(&value)) {
            Ok(value) => Some(Found { value, place }),
            Err(why) => {
                self.problem(&place, key, &why);
                None
            }
        }
    }

    /// A text that may be secret: set as such, or by the name of the file that has it.
    pub(super) fn secret(&mut self, key: &'static str, file_key: &'static str) -> Option<Found<String>> {
        let (itself, file) = (self.find::<String>(key), self.find::<String>(file_key));
        match (itself, file) {
            (Some(itself), Some(file)) if rank(&itself.place) == rank(&file.place) => {
                self.problem(&file.place, file_key, &format!("cannot be set beside `{key}`"));
                None
            }
            (Some(itself), Some(file)) if rank(&itself.place) > rank(&file.place) => {
                self.read_file(file_key, file.place, &file.value)
            }
            (Some(itself), _) => Some(itself),
            (None, Some(file)) => self.read_file(file_key, file.place, &file.value),
            (None, None) => None,
        }
    }

    /// What a file has in it, without the line feed at its end.
    pub(super) fn read_file(&mut self, key: &str, place: Place, named: &str) -> Option<Found<String>> {
        match fs::read_to_string(place.path(named)) {
            Ok(text) => Some(Found { value: text.trim_end_matches(['\r', '\n']).to_owned(), place }),
            Err(error) => {
                // what is set may be the secret itself, by mistake
                self.problem(&place, key, &format!("cannot be read as a file: {error}"));
                None
            }
        }
    }

    /// Says what is wrong with a setting: `why` stands behind its name.
    pub(super) fn problem(&mut self, place: &Place, key: &str, why: &str) {
        self.problems.push(Problem { place: place.clone(), text: format!("`{key}` {why}") });
    }

    /// Whether something has been set, be it well or not.
    pub(super) fn has(&self, key: &str) -> bool {
        self.given(key).is_some()
    }

    fn given(&self, key: &str) -> Option<Given> {
        let by_key = |given: &&Given| given.key == key;
        if let Some(flag) = self.flags.iter().rev().find(by_key) {
            return Some(flag.clone());
        }
        let variable = variable(key);
        if let Some((_, value)) = self.variables.iter().find(|(name, _)| *name == variable) {
            let (value, place) = (Value::Typed(value.clone()), Place::Variable(variable));
            return Some(Given { key: key.to_owned(), value, place });
        }
        self.file.iter().find(by_key).cloned()
    }

    /// All that is wrong, now that every setting there is has been asked for; and what is
    /// strange in the environment, which others may have had a hand in.
    pub(super) fn finish(mut self) -> (Vec<Problem>, Vec<String>) {
        for given in self.flags.iter().chain(&self.file) {
            if let Some(text) = unknown(given, &self.known) {
                self.problems.push(Problem { place: given.place.clone(), text });
            }
        }
        self.problems.sort_by_key(|problem| match problem.place {
            Place::File { line, column, .. } => (2, line, column),
            ref place => (rank(place), 0, 0),
        });
        let names: Vec<String> = self.known.iter().map(|key| variable(key)).collect();
        let strange = self.variables.iter().filter(|(name, _)| !names.contains(name));
        let strange = strange.map(|(name, _)| {
            let meant = alike(name, names.iter().map(String::as_str));
            format!("environment variable {name} sets nothing{meant}")
        });
        (self.problems, strange.collect())
    }

    /// The names of all settings that were asked for.
    #[cfg(test)]
    pub(super) fn known(&self) -> &[&'static str] {
        &self.known
    }
}

/// The environment variable of a setting.
pub(super) fn variable(key: &str) -> String {
    format!("{PREFIX}{}", key.replace('.', "_").to_ascii_uppercase())
}

/// What goes before what.
fn rank(place: &Place) -> usize {
    match place {
        Place::Flag(_) => 0,
        Place::Variable(_) => 1,
        Place::File { .. } => 2,
    }
}

/// What is wrong with something that is set and of which nobody knows.
fn unknown(given: &Given, known: &[&'static str]) -> Option<String> {
    let Given { key, value, .. } = given;
    if known.contains(&&**key) {
        return None;
    }
    let is_section =
        known.iter().any(|known| known.strip_prefix(&**key).is_some_and(|end| end.starts_with('.')));
    match (is_section, value) {
        // a section with nothing in it
        (true, Value::Other("a table")) => None,
        (true, _) => Some(format!("`{key}` is a section: write [{key}], and below it what to set")),
        (false, _) => Some(format!("there is no setting `{key}`{}", alike(key, known.iter().copied()))),
    }
}

/// Which of the names may have been meant, if any.
fn alike<'a>(name: &str, names: impl Iterator<Item = &'a str>) -> String {
    let scored = names.map(|known| (strsim::normalized_damerau_levenshtein(name, known), known));
    let best = scored.filter(|(score, _)| *score > ALIKE).max_by(|(a, _), (b, _)| a.total_cmp(b));
    best.map_or_else(String::new, |(_, known)| format!("; did you mean `{known}`?"))
}

/// Puts in environment variables where a text of the file says `${NAME}`; `$${` is `${`.
fn expanded(value: Value) -> Result<Value, String> {
    Ok(match value {
        Value::Text(text) => Value::Text(expand(&text, |name| std::env::var(name).ok())?),
        Value::List(items) => Value::List(items.into_iter().map(expanded).collect::<Result<_, _>>()?),
        other => other,
    })
}

fn expand(text: &str, variable: impl Fn(&str) -> Option<String>) -> Result<String, String> {
    let (mut out, mut rest) = (String::new(), text);
    while let Some((before, after)) = rest.split_once("${") {
        if let Some(before) = before.strip_suffix('$') {
            out.extend([before, "${"]);
            rest = after;
            continue;
        }
        let (name, after) =
            after.split_once('}').ok_or("has a `${` without its `}`; write $${ for the two letters")?;
        let value = variable(name).ok_or_else(|| match is_said(name) {
            true => format!("wants the environment variable `{name}`, which is not set, or no text"),
            // it may be a part of a secret, and no name at all
            false => "wants an environment variable that is not set, or no text, by what is between \
                      `${` and `}`; write $${ for the two letters"
                .to_owned(),
        })?;
        out.extend([before, &value]);
        rest = after;
    }
    out.push_str(rest);
    Ok(out)
}

/// Whether a name is such as environment variables usually have, and so may be repeated.
fn is_said(name: &str) -> bool {
    let usual = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
    name.starts_with(|first: char| first.is_ascii_uppercase() || first == '_') && name.bytes().all(usual)
}

/// What kind of value it is, not which: that may be secret.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Text(_) | Self::Typed(_) => "a text",
            Self::Number(_) => "a number",
            Self::Truth(_) => "`true` or `false`",
            Self::List(_) => "a list",
            Self::Other(what) => what,
        })
    }
}

/// Not what it is set to.
impl fmt::Debug for Given {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at {}: {}", self.key, self.place, self.value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(text: &str) -> Value {
        Value::Typed(text.to_owned())
    }

    #[test]
    fn flags_go_before_variables_and_these_before_the_file() {
        let mut settings = Settings::default();
        settings.file(Path::new("a.toml"), "[x]\na = 1\nb = 1\nc = 1\n");
        settings
            .variables([("TRUNKLINE_X_A", "2"), ("TRUNKLINE_X_B", "2")].map(|(k, v)| (k.into(), v.into())));
        settings.flag("--set", "x.a", typed("3"));
        settings.flag("--set", "x.a", typed("4"));
        let got = ["x.a", "x.b", "x.c", "x.d"].map(|key| settings.get::<usize>(key));
        assert_eq!(got, [Some(4), Some(2), Some(1), None]);
        assert_eq!(settings.finish(), (vec![], vec![]));
    }

    #[test]
    fn all_that_is_wrong_is_told_in_its_order() {
        let mut settings = Settings::default();
        settings.file(
            Path::new("a.toml"),
            "lim = 1\n[limits]\n  max_mesage = 1\n\nmax_batch = \"x\"\nq = \n[empty]\n",
        );
        settings.flag("--set", "limits.max_botch", typed("1"));
        settings.variables([("TRUNKLINE_LIMITS_MAX_MASSAGE".into(), "1".into())]);
        settings.get::<usize>("limits.max_message");
        settings.get::<usize>("limits.max_batch");
        let (problems, strange) = settings.finish();
        let told: Vec<_> = problems.iter().map(|p| format!("{}: {}", p.place, p.text)).collect();
        assert_eq!(
            told,
            [
                "--set: there is no setting `limits.max_botch`; did you mean `limits.max_batch`?",
                "a.toml:1:1: there is no setting `lim`",
                "a.toml:3:3: there is no setting `limits.max_mesage`; did you mean `limits.max_message`?",
                "a.toml:5:1: `limits.max_batch` is a text, and must be a number, without quotes and unit",
                "a.toml:6:1: there is no setting `limits.q`",
                "a.toml:6:5: string values must be quoted, expected literal string",
                "a.toml:7:2: there is no setting `empty`",
            ]
        );
        let strange_one = "environment variable TRUNKLINE_LIMITS_MAX_MASSAGE sets nothing; \
                           did you mean `TRUNKLINE_LIMITS_MAX_MESSAGE`?";
        assert_eq!(strange, [strange_one]);
    }

    #[test]
    fn a_section_is_none_of_its_settings() {
        let mut settings = Settings::default();
        settings.file(Path::new("a.toml"), "limits = 5\n[broker]\n");
        settings.get::<usize>("limits.max_batch");
        settings.get::<String>("broker.url");
        let (problems, _) = settings.finish();
        assert_eq!(problems.len(), 1);
        assert_eq!(problems[0].text, "`limits` is a section: write [limits], and below it what to set");
    }

    #[test]
    fn variables_are_put_into_texts() {
        let one = |name: &str| (name == "ONE").then(|| "1".to_owned());
        for (text, expanded) in
            [("a${ONE}b${ONE}", "a1b1"), ("$ONE", "$ONE"), ("a$${ONE}", "a${ONE}"), ("", "")]
        {
            assert_eq!(expand(text, one).as_deref(), Ok(expanded));
        }
        assert!(expand("${TWO}", one).unwrap_err().contains("`TWO`"));
        for secret in ["hunter2", "Hunter", "HUNTER-2", "2HUNTER", "HUNTER 2", ""] {
            let told = expand(&format!("a${{{secret}}}b"), one).unwrap_err();
            assert!(secret.is_empty() || !told.contains(secret), "{told}");
        }
        assert!(expand("${ONE", one).unwrap_err().contains("without"));
    }

    #[test]
    fn what_is_set_is_not_shown() {
        let mut settings = Settings::default();
        settings.file(Path::new("a.toml"), "a = \"hunter2\"");
        settings.flag("--set", "a", typed("hunter2"));
        assert!(!format!("{:?}", (&settings.flags, &settings.file)).contains("hunter2"));
    }
}
