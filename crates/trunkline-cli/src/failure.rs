//! [`Failure`]: why the command ends early, for people and for scripts.

use crate::print::plain;
use anstream::eprintln;
use clap::builder::styling::{AnsiColor, Style};
use std::{borrow::Cow, error::Error, io, process::ExitCode, time::Duration};
use trunkline::{BindError, Fault, FaultKind, broker, client::DialError};

const ERROR: Style = AnsiColor::Red.on_default().bold();
const LABEL: Style = AnsiColor::Cyan.on_default().bold();

/// Why the command ends early: what was wrong, where, and what to do.
#[derive(Debug)]
pub(crate) struct Failure {
    exit: Exit,
    message: String,
    /// More to know, each with a word that says what it is.
    details: Vec<(Cow<'static, str>, String)>,
}

/// How scripts tell failures apart; `--help` lists the numbers.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Exit {
    /// Whoever reads our output wants no more of it.
    Unread = 0,
    Fault = 1,
    Usage = 2,
    Connection = 3,
    Deadline = 4,
}

impl Failure {
    fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self { exit, message: message.into(), details: Vec::new() }
    }

    /// The server said no.
    pub(crate) fn fault(message: impl Into<String>) -> Self {
        Self::new(Exit::Fault, message)
    }

    /// What we were told to do makes no sense.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::new(Exit::Usage, message)
    }

    /// There is no connection.
    pub(crate) fn connection(message: impl Into<String>) -> Self {
        Self::new(Exit::Connection, message)
    }

    /// The broker at `url` was not reached in time.
    pub(crate) fn no_broker(url: &str, within: Duration) -> Self {
        let (url, within) = (broker::url_to_show(url), humantime::format_duration(within));
        Self::connection(format!("the broker {url} cannot be reached within {within}"))
            .hint("whether it runs, its address and password, a longer --timeout; RUST_LOG=debug says more")
    }

    /// There was no answer in time.
    pub(crate) fn deadline(message: impl Into<String>) -> Self {
        Self::new(Exit::Deadline, message)
    }

    /// Output could not be written.
    pub(crate) fn output(error: &io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Self::new(Exit::Unread, ""),
            _ => Self::usage("cannot write the output").cause(error),
        }
    }

    /// Says what is behind it, layer by layer.
    pub(crate) fn cause(mut self, error: &(dyn Error + 'static)) -> Self {
        let mut layer = Some(error);
        while let Some(error) = layer {
            self.details.push(("cause".into(), error.to_string()));
            layer = error.source();
        }
        self
    }

    /// Says what to do next.
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.details.push(("try".into(), hint.into()));
        self
    }

    /// Says what is wrong at some place.
    #[cfg(feature = "gateway")]
    pub(crate) fn problem(mut self, place: &impl std::fmt::Display, problem: &str) -> Self {
        self.details.push((place.to_string().into(), problem.to_owned()));
        self
    }

    /// All of it, for a log.
    #[cfg(feature = "gateway")]
    pub(crate) fn in_a_line(&self) -> String {
        let details = self.details.iter().map(|(label, text)| format!("{label}: {text}"));
        let details: Vec<_> = details.collect();
        format!("{}: {}", self.message, details.join("; "))
    }

    /// A listener could not be bound; `hint` says what else to try.
    pub(crate) fn cannot_listen(error: &BindError, hint: &str) -> Self {
        let failure = Self::connection(error.to_string());
        let BindError::Listener { source, .. } = error else { return failure };
        match source.kind() {
            io::ErrorKind::AddrInUse | io::ErrorKind::PermissionDenied => failure.hint(hint),
            _ => failure.hint("an address of this machine, such as 127.0.0.1:9876"),
        }
    }

    pub(crate) fn exit_code(&self) -> ExitCode {
        ExitCode::from(self.exit as u8)
    }

    /// Prints it on stderr.
    pub(crate) fn print(&self) {
        if self.exit == Exit::Unread {
            return;
        }
        eprintln!("{ERROR}error:{ERROR:#} {}", plain(&self.message));
        for (label, text) in &self.details {
            eprintln!("  {LABEL}{label}:{LABEL:#} {}", plain(text));
        }
    }
}

impl From<DialError> for Failure {
    fn from(error: DialError) -> Self {
        let exit = match error {
            DialError::Address { .. } | DialError::Header { .. } | DialError::Feature { .. } => Exit::Usage,
            _ => Exit::Connection,
        };
        let failure = Self::new(exit, error.to_string());
        match error.source() {
            Some(source) => failure.cause(source),
            None => failure,
        }
    }
}

impl From<Fault> for Failure {
    /// A fault with a code came over the wire; others are of this program's making.
    fn from(fault: Fault) -> Self {
        let exit = match (fault.kind(), fault.code()) {
            (FaultKind::DeadlineExceeded, _) => Exit::Deadline,
            (FaultKind::Disconnected | FaultKind::Unavailable, None) => Exit::Connection,
            (FaultKind::InvalidArgs, None) => Exit::Usage,
            _ => Exit::Fault,
        };
        let mut failure = Self::new(exit, fault.message());
        if let Some(code) = fault.code() {
            failure.details.push(("code".into(), code.to_string()));
        }
        if let Some(data) = fault.raw_data() {
            failure.details.push(("data".into(), data.to_owned()));
        }
        match (fault.kind(), fault.code()) {
            (FaultKind::NotFound, Some(_)) => {
                failure.hint("trunkline discover, by which a server may tell what it has")
            }
            (FaultKind::DeadlineExceeded, None) => failure.hint("a longer --timeout, such as 2m"),
            _ => failure,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn exits(fault: Fault, exit: Exit) {
        assert_eq!(Failure::from(fault).exit, exit);
    }

    #[test]
    fn what_came_over_the_wire_is_told_from_what_did_not() {
        exits(Fault::new(FaultKind::Unavailable, "busy").with_code(-32000), Exit::Fault);
        exits(Fault::new(FaultKind::Unavailable, "refused"), Exit::Connection);
        exits(Fault::new(FaultKind::Disconnected, "gone"), Exit::Connection);
        exits(Fault::new(FaultKind::DeadlineExceeded, "late"), Exit::Deadline);
        exits(Fault::new(FaultKind::InvalidArgs, "no").with_code(-32602), Exit::Fault);
        exits(Fault::new(FaultKind::Failed, "404"), Exit::Fault);
    }

    #[test]
    fn code_and_data_are_told() {
        let failure = Failure::from(Fault::from("no").with_code(7).with_data([1]));
        assert_eq!(failure.details, [("code".into(), "7".to_owned()), ("data".into(), "[1]".to_owned())]);
    }

    #[test]
    fn a_reader_that_has_gone_is_no_failure() {
        assert_eq!(Failure::output(&io::ErrorKind::BrokenPipe.into()).exit, Exit::Unread);
        assert_eq!(Failure::output(&io::ErrorKind::StorageFull.into()).exit, Exit::Usage);
    }
}
