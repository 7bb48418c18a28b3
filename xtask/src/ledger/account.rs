//! [`Account`]: what the ledgers of the handlers and the outcomes of the callers show together.

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};

use super::plan::{Count, HANDLERS};

/// How many tokens are told of each kind of trouble.
const TOLD: usize = 20;
/// How many outcomes are kept in words, of calls that were not answered.
const KEPT: usize = 10_000;

/// What is known of one call.
#[derive(Clone, Debug, Default)]
struct Call {
    /// How often each handler has run it.
    runs: [u8; HANDLERS],
    /// The first word of what became of it.
    outcome: Option<Outcome>,
    /// How often that was written down.
    told: u8,
}

#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
enum Outcome {
    Answered,
    Refused,
    Late,
    Failed,
    Strange,
    Hung,
}

/// What must not be.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
enum Trouble {
    /// There is no outcome, or none came in time.
    Hang,
    /// Run more than once, and not idempotent.
    Twice,
    /// Not answered, while nothing had failed.
    LostInDrain,
    /// Not answered, and idempotent.
    LostIdempotent,
    /// Answered, but never run; told that it has not run, but run; answered twice, or with the
    /// answer of another.
    Contradicted,
}

/// All calls, by their tokens.
pub(super) struct Account {
    calls: Vec<Call>,
    /// Which of them are made while processes are drained and nothing fails.
    drains_from: u64,
    /// What became of those that were not answered, in words.
    words: HashMap<u64, String>,
}

impl Account {
    /// Reads what all have written to `folder`.
    pub(super) fn read(folder: &Path, calls: u64, drains_from: u64) -> Result<Self, String> {
        let mut account = Self::of(calls, drains_from)?;
        for handler in 0..HANDLERS {
            read_lines(&folder.join(format!("handler-{}.ledger", handler + 1)), |line| {
                account.ran(handler, line)
            })?;
        }
        read_lines(&folder.join("outcomes"), |line| account.ended(line))?;
        Ok(account)
    }

    fn of(calls: u64, drains_from: u64) -> Result<Self, String> {
        let count = usize::try_from(2 * calls).map_err(|_| format!("{calls} calls are too many"))?;
        Ok(Self { calls: vec![Call::default(); count], drains_from, words: HashMap::new() })
    }

    /// A handler has run this one.
    fn ran(&mut self, handler: usize, token: &str) -> Option<()> {
        let call = self.calls.get_mut(token.parse::<usize>().ok()?)?;
        call.runs[handler] = call.runs[handler].saturating_add(1);
        Some(())
    }

    /// A caller has written down what became of a call.
    fn ended(&mut self, line: &str) -> Option<()> {
        let (token, words) = line.split_once(' ')?;
        let token: u64 = token.parse().ok()?;
        let call = self.calls.get_mut(usize::try_from(token).ok()?)?;
        let outcome = match words.split(' ').next()? {
            "answered" => Outcome::Answered,
            "refused" => Outcome::Refused,
            "late" => Outcome::Late,
            "failed" => Outcome::Failed,
            "strange" => Outcome::Strange,
            "hung" => Outcome::Hung,
            _ => return None,
        };
        call.outcome = Some(outcome);
        call.told = call.told.saturating_add(1);
        if outcome != Outcome::Answered && self.words.len() < KEPT {
            self.words.insert(token, words.to_owned());
        }
        Some(())
    }

    /// What is wrong, token by token.
    fn troubles(&self) -> BTreeMap<Trouble, Vec<u64>> {
        let mut troubles = BTreeMap::<_, Vec<_>>::new();
        for (token, call) in (0..).zip(&self.calls) {
            let (runs, is_once) = (call.runs(), is_once(token));
            let answered = call.outcome == Some(Outcome::Answered);
            let contradicted = call.told > 1
                || (answered && runs == 0)
                || (is_once && call.outcome == Some(Outcome::Refused) && runs > 0)
                || call.outcome == Some(Outcome::Strange);
            for (trouble, is_there) in [
                (Trouble::Hang, matches!(call.outcome, None | Some(Outcome::Hung))),
                (Trouble::Twice, is_once && runs > 1),
                (Trouble::LostInDrain, token >= self.drains_from && !answered),
                (Trouble::LostIdempotent, !is_once && !answered),
                (Trouble::Contradicted, contradicted),
            ] {
                if is_there {
                    troubles.entry(trouble).or_default().push(token);
                }
            }
        }
        troubles
    }

    /// The account in numbers.
    pub(super) fn json(&self, broker: &str, count: &Count, took: Duration) -> Value {
        let troubles = self.troubles();
        let tokens = |trouble| troubles.get(&trouble).map_or(0, Vec::len);
        json!({
            "broker": broker,
            "calls": self.calls.len() / 2,
            "idempotent_calls": self.calls.len() / 2,
            "hangs": tokens(Trouble::Hang),
            "twice": tokens(Trouble::Twice),
            "lost_in_drain": tokens(Trouble::LostInDrain),
            "lost_idempotent": tokens(Trouble::LostIdempotent),
            "contradicted": tokens(Trouble::Contradicted),
            "kills": count.kills,
            "drains": count.drains,
            "broker_restarts": count.broker_restarts,
            "broker_stops": count.broker_stops,
            "outcomes": self.outcomes(true),
            "idempotent_outcomes": self.outcomes(false),
            "executed": self.executed(true),
            "idempotent_executed": self.executed(false),
            "seconds": took.as_secs(),
        })
    }

    /// How many calls of one level have ended in which way.
    fn outcomes(&self, once: bool) -> BTreeMap<String, u64> {
        let mut outcomes = BTreeMap::new();
        for (_, call) in self.level(once) {
            let outcome = call.outcome.unwrap_or(Outcome::Hung);
            *outcomes.entry(format!("{outcome:?}").to_lowercase()).or_default() += 1;
        }
        outcomes
    }

    /// How often calls of one level were run.
    fn executed(&self, once: bool) -> u64 {
        self.level(once).map(|(_, call)| u64::from(call.runs())).sum()
    }

    fn level(&self, once: bool) -> impl Iterator<Item = (u64, &Call)> {
        (0..).zip(&self.calls).filter(move |(token, _)| is_once(*token) == once)
    }

    /// Whether all is as it is promised; if not, what is known of the calls with which it is not.
    pub(super) fn verdict(&self) -> Result<(), String> {
        let mut text = String::new();
        for (trouble, tokens) in self.troubles() {
            text += &format!("\n{trouble:?}, {} calls:", tokens.len());
            for token in tokens.iter().take(TOLD) {
                text += &format!("\n  {}", self.known(*token));
            }
            if tokens.len() > TOLD {
                text += &format!("\n  and {} more", tokens.len() - TOLD);
            }
        }
        if text.is_empty() { Ok(()) } else { Err(format!("not all is as it is promised{text}")) }
    }

    fn known(&self, token: u64) -> String {
        let call = usize::try_from(token).ok().and_then(|token| self.calls.get(token)).cloned();
        let call = call.unwrap_or_default();
        let level = if is_once(token) { "at most once" } else { "idempotent" };
        let runs = call.runs.iter().enumerate().filter(|(_, runs)| **runs > 0);
        let runs: Vec<_> =
            runs.map(|(handler, runs)| format!("{runs} times by handler-{}", handler + 1)).collect();
        let runs = if runs.is_empty() { "never".to_owned() } else { runs.join(", ") };
        let outcome = call.outcome.map_or("nothing".to_owned(), |outcome| format!("{outcome:?}"));
        let words = self.words.get(&token).unwrap_or(&outcome);
        format!("{token} ({level}): run {runs}; told {} times: {words}", call.told)
    }
}

impl Call {
    fn runs(&self) -> u8 {
        self.runs.iter().fold(0, |all, runs| all.saturating_add(*runs))
    }
}

/// Every other token is that of a call which is to run at most once; the example `ledger` has it so.
fn is_once(token: u64) -> bool {
    token.is_multiple_of(2)
}

/// Takes in each line of a file, and fails if one makes no sense.
fn read_lines(file: &Path, mut take: impl FnMut(&str) -> Option<()>) -> Result<(), String> {
    let told = |error| format!("cannot read {}: {error}", file.display());
    for line in BufReader::new(File::open(file).map_err(told)?).lines() {
        let line = line.map_err(told)?;
        take(&line).ok_or_else(|| format!("{} has a line that makes no sense: {line}", file.display()))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two calls of each level, of which the last two are made while processes are drained; all
    /// are run by the first handler, and answered, unless it is said otherwise.
    fn account(otherwise: impl FnOnce(&mut Account)) -> Vec<(Trouble, Vec<u64>)> {
        let mut account = Account::of(2, 2).unwrap();
        for token in ["0", "1", "2", "3"] {
            account.ran(0, token).unwrap();
            account.ended(&format!("{token} answered (ws, tried 1 times)")).unwrap();
        }
        otherwise(&mut account);
        assert_eq!(account.verdict().is_ok(), account.troubles().is_empty());
        account.troubles().into_iter().collect()
    }

    #[test]
    fn what_is_as_promised_is_no_trouble() {
        assert_eq!(account(|_| {}), []);
        let twice = account(|account| account.ran(1, "1").unwrap());
        assert_eq!(twice, [], "an idempotent call may run again");
        let failed = account(|account| account.calls[0].outcome = Some(Outcome::Failed));
        assert_eq!(failed, [], "one that is not may fail with what it runs on");
    }

    #[test]
    fn what_is_not_as_promised_is_named() {
        assert_eq!(account(|account| account.calls[0].outcome = None), [(Trouble::Hang, vec![0])]);
        assert_eq!(account(|account| account.ran(2, "0").unwrap()), [(Trouble::Twice, vec![0])]);
        let lost = account(|account| account.calls[2].outcome = Some(Outcome::Failed));
        assert_eq!(lost, [(Trouble::LostInDrain, vec![2])]);
        let lost = account(|account| account.calls[1].outcome = Some(Outcome::Late));
        assert_eq!(lost, [(Trouble::LostIdempotent, vec![1])]);
    }

    #[test]
    fn what_cannot_both_be_true_is_named() {
        let contradicted = [(Trouble::Contradicted, vec![0])];
        assert_eq!(account(|account| account.ended("0 answered").unwrap()), contradicted);
        assert_eq!(account(|account| account.calls[0].runs = [0; HANDLERS]), contradicted);
        assert_eq!(account(|account| account.calls[0].outcome = Some(Outcome::Refused)), contradicted);
        assert_eq!(account(|account| account.calls[0].outcome = Some(Outcome::Strange)), contradicted);
    }

    #[test]
    fn what_is_known_of_a_call_is_told() {
        let mut account = Account::of(1, 2).unwrap();
        account.ran(1, "0").unwrap();
        account.ran(2, "0").unwrap();
        account.ended("0 failed client: Disconnected: gone (ws, tried 1 times)").unwrap();
        account.ran(0, "1").unwrap();
        account.ended("1 answered").unwrap();
        let told = account.verdict().unwrap_err();
        let known = "0 (at most once): run 1 times by handler-2, 1 times by handler-3; told 1 times: \
                     failed client: Disconnected: gone (ws, tried 1 times)";
        assert!(told.contains(known), "{told}");
    }

    #[test]
    fn a_line_that_makes_no_sense_is_an_error() {
        let mut account = Account::of(1, 2).unwrap();
        for line in ["", "0", "0 gone", "2 answered", "x answered"] {
            assert_eq!(account.ended(line), None, "{line}");
        }
        assert_eq!(account.ran(0, "2"), None);
    }
}
