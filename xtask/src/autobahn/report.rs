//! The suite's `index.json`: how each case went.

use std::collections::BTreeMap;
use std::fs::read_to_string;
use std::path::Path;

use serde_json::Value;

/// What may be said of a case that passes.
const GOOD: [&str; 2] = ["OK", "INFORMATIONAL"];

/// One case: its number, what was said of the answer, and of how the connection was closed.
struct Case {
    id: String,
    behavior: String,
    close: String,
}

/// All cases of one run.
pub(super) struct Report {
    cases: Vec<Case>,
}

/// Reads the report of a run against one agent.
pub(super) fn read(file: &Path) -> Result<Report, String> {
    let text = read_to_string(file).map_err(|error| format!("no report at {}: {error}", file.display()))?;
    parse(&text).map_err(|why| format!("{}: {why}", file.display()))
}

fn parse(text: &str) -> Result<Report, String> {
    let index: Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
    let agents = index.as_object().ok_or("not an object")?;
    let [cases] = agents.values().collect::<Vec<_>>()[..] else {
        return Err(format!("it should be about one agent, not {}", agents.len()));
    };
    let word = |value: &Value| value.as_str().unwrap_or("MISSING").to_owned();
    let cases = cases.as_object().ok_or("the agent has no cases")?.iter().map(|(id, case)| Case {
        id: id.clone(),
        behavior: word(&case["behavior"]),
        close: word(&case["behaviorClose"]),
    });
    Ok(Report { cases: cases.collect() })
}

impl Report {
    /// How often each thing was said of an answer, then of a closing.
    pub(super) fn counts(&self) -> String {
        let count = |said: fn(&Case) -> &String| {
            let mut counts = BTreeMap::new();
            for case in &self.cases {
                *counts.entry(said(case).as_str()).or_insert(0) += 1;
            }
            for expected in ["OK", "NON-STRICT", "INFORMATIONAL", "FAILED"] {
                counts.entry(expected).or_insert(0);
            }
            counts.iter().map(|(word, count)| format!("{count} {word}")).collect::<Vec<_>>().join(", ")
        };
        format!(
            "{} cases; answers: {}; closings: {}",
            self.cases.len(),
            count(|it| &it.behavior),
            count(|it| &it.close)
        )
    }

    /// Fails unless there are `count` cases and all are good.
    pub(super) fn verdict(&self, count: usize) -> Result<(), String> {
        let good = |said: &String| GOOD.contains(&said.as_str());
        let bad = self.cases.iter().filter(|case| !good(&case.behavior) || !good(&case.close));
        let bad: Vec<String> =
            bad.map(|case| format!("case {}: {}, closing {}", case.id, case.behavior, case.close)).collect();
        if !bad.is_empty() {
            return Err(format!("{} cases did not pass:\n  {}", bad.len(), bad.join("\n  ")));
        }
        if self.cases.len() != count {
            return Err(format!("{} cases were run, and there are {count}", self.cases.len()));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::parse;

    fn report(behavior: &str, close: &str) -> super::Report {
        let text = format!(
            r#"{{"trunkline": {{"1.1.1": {{"behavior": "OK", "behaviorClose": "OK"}},
                "2.1": {{"behavior": "{behavior}", "behaviorClose": "{close}"}}}}}}"#
        );
        parse(&text).unwrap()
    }

    #[test]
    fn ok_and_informational_pass() {
        assert_eq!(report("INFORMATIONAL", "OK").verdict(2), Ok(()));
        let counts = "2 cases; answers: 0 FAILED, 1 INFORMATIONAL, 0 NON-STRICT, 1 OK; \
                      closings: 0 FAILED, 0 INFORMATIONAL, 0 NON-STRICT, 2 OK";
        assert_eq!(report("INFORMATIONAL", "OK").counts(), counts);
    }

    #[test]
    fn anything_else_fails_and_is_named() {
        for (behavior, close) in [("NON-STRICT", "OK"), ("FAILED", "OK"), ("OK", "FAILED"), ("OK", "UNCLEAN")]
        {
            let why = report(behavior, close).verdict(2).unwrap_err();
            assert_eq!(why, format!("1 cases did not pass:\n  case 2.1: {behavior}, closing {close}"));
        }
    }

    #[test]
    fn a_case_that_went_missing_fails() {
        assert!(report("OK", "OK").verdict(3).unwrap_err().contains("2 cases were run, and there are 3"));
        assert!(parse("{}").is_err());
    }
}
