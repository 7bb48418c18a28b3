//! `cargo xtask autobahn`: the Autobahn test suite against our WebSocket, as server and as client.
//!
//! The suite (PyPI `autobahntestsuite`, Python 2.7) is installed into `target/autobahn`; its pages on
//! each case are left in the `server` and `client` folders there. Every case must be OK or
//! INFORMATIONAL, both in what was answered and in how the connection was closed; NON-STRICT fails.
//!
//! The program under test is the example `websocket_echo`, or another one (`--agent`) with the same
//! two commands: `serve ADDRESS` echoes what it is sent; `run URL` asks the suite at that URL for the
//! number of cases, echoes in each, has the report written, and ends.

mod report;
mod suite;

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::json;

use crate::process::{Running, cargo, command, free_address, run as run_command, target};
use suite::Suite;

/// Which crate has the example.
const PACKAGE: &str = "trunkline-net";
const EXAMPLE: &str = "websocket_echo";

/// Framing, control frames, UTF-8, closing, limits; and how many cases that is.
const PLAIN: (&[&str], usize) = (&["1.*", "2.*", "3.*", "4.*", "5.*", "6.*", "7.*", "9.*", "10.*"], 301);
/// Permessage-deflate.
const DEFLATE: (&[&str], usize) = (&["12.*", "13.*"], 216);

/// How long a program may take to start listening, and one role to finish.
const START: Duration = Duration::from_secs(60);
const ROLE: Duration = Duration::from_secs(60 * 60);

/// The cases to run and the program to run them against.
struct Plan {
    agent: PathBuf,
    cases: Vec<&'static str>,
    count: usize,
}

/// Runs both roles; `--deflate` adds the cases on compression.
pub(crate) fn run(args: &[String]) -> Result<(), String> {
    let (mut cases, mut count) = (PLAIN.0.to_vec(), PLAIN.1);
    let mut agent = None;
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--deflate" => {
                cases.extend(DEFLATE.0);
                count += DEFLATE.1;
            }
            "--agent" => {
                agent = Some(PathBuf::from(args.next().ok_or("--agent needs the path of a program")?))
            }
            other => {
                return Err(format!("unknown argument `{other}`; there are --deflate and --agent PROGRAM"));
            }
        }
    }
    let suite = Suite::install(target().join("autobahn"))?;
    let agent = match agent {
        Some(agent) => agent,
        None => {
            run_command(&mut cargo([
                "build",
                "--release",
                "--package",
                PACKAGE,
                "--all-features",
                "--example",
                EXAMPLE,
            ]))?;
            target().join("release/examples").join(EXAMPLE)
        }
    };
    let plan = Plan { agent, cases, count };
    let roles = [("server", as_server as Role), ("client", as_client)];
    // Side by side, since a case is mostly waiting.
    let verdicts: Vec<Result<(), String>> = std::thread::scope(|scope| {
        let (suite, plan) = (&suite, &plan);
        let started = roles.map(|(name, role)| scope.spawn(move || play(suite, plan, name, role)));
        started.map(|it| it.join().unwrap_or_else(|_| Err("it panicked".to_owned()))).into()
    });
    let complaints: Vec<String> = verdicts.into_iter().filter_map(Result::err).collect();
    if complaints.is_empty() {
        println!("autobahn: {} passed, 0 failed", roles.len() * plan.count);
        return Ok(());
    }
    Err(complaints.join("\n"))
}

/// Plays one role and judges the report on it.
fn play(suite: &Suite, plan: &Plan, name: &str, role: Role) -> Result<(), String> {
    let pages = suite.fresh_folder(name)?;
    role(suite, plan, &pages)
        .map_err(|why| format!("as {name}: {why}\nsee {}/wstest.log", pages.display()))?;
    let report = report::read(&pages.join("index.json"))?;
    println!("{name}: {}", report.counts());
    report.verdict(plan.count).map_err(|why| format!("as {name}: {why}\nsee {}/index.html", pages.display()))
}

/// Takes one role and leaves the suite's report in the folder.
type Role = fn(&Suite, &Plan, &Path) -> Result<(), String>;

/// The suite dials the agent.
fn as_server(suite: &Suite, plan: &Plan, pages: &Path) -> Result<(), String> {
    let address = free_address()?;
    let mut agent = Running::start(&mut command(&plan.agent, ["serve", &address.to_string()]))?;
    agent.await_listening(address, START)?;
    let spec = json!({
        "outdir": pages,
        "servers": [{"agent": "trunkline", "url": format!("ws://{address}")}],
        "cases": plan.cases,
        "exclude-cases": [],
        "exclude-agent-cases": {},
    });
    suite.start("fuzzingclient", pages, &spec)?.finish(ROLE)
}

/// The agent dials the suite.
fn as_client(suite: &Suite, plan: &Plan, pages: &Path) -> Result<(), String> {
    let address = free_address()?;
    let url = format!("ws://{address}");
    let spec = json!({
        "outdir": pages,
        "url": url,
        "cases": plan.cases,
        "exclude-cases": [],
        "exclude-agent-cases": {},
    });
    let mut suite = suite.start("fuzzingserver", pages, &spec)?;
    suite.await_listening(address, START)?;
    Running::start(&mut command(&plan.agent, ["run", &url]))?.finish(ROLE)
}
