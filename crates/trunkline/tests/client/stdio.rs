//! Child processes. `cat` gives back whatever it is told, so a client that has a
//! router hears its own calls, answers them, and hears its own answers.

use std::{env, fs, path::PathBuf, process, time::Duration};
use tokio::task::{spawn_blocking, yield_now};
use trunkline::{Client, FaultKind, Router, client::ConnectionState};

fn router() -> Router {
    Router::new().procedure("add", |(a, b): (i64, i64)| async move { a + b })
}

async fn check(address: &str) {
    let client = Client::builder(address).router(router()).connect().await.unwrap();
    assert_eq!(client.server().unwrap().connection().transport(), "stdio");
    assert_eq!(client.call::<i64>("add", (2, 3)).await.unwrap(), 5);
    // cat ends when its standard input does, and only then is the client closed
    client.close().await;
    assert_eq!(client.state(), ConnectionState::Closed);
}

#[tokio::test]
async fn a_child_is_spoken_with_in_lines() {
    check("stdio:cat").await;
}

#[tokio::test]
async fn a_child_is_spoken_with_as_a_language_server() {
    check("stdio+lsp:cat").await;
}

#[tokio::test]
async fn a_child_that_ends_is_gone() {
    let client = Client::builder("stdio:true").connect().await.unwrap();
    let fault = client.call::<i64>("add", (2, 3)).await.unwrap_err();
    assert_eq!(fault.kind(), FaultKind::Disconnected);
    client.states().wait_for(|state| *state == ConnectionState::Closed).await.unwrap();
}

/// Three named pipes, by which a process and its test wait for each other.
struct Pipes(PathBuf);

impl Pipes {
    const NAMES: [&str; 3] = ["closed", "go-on", "done"];

    fn new() -> Self {
        let place = env::temp_dir().join(format!("trunkline-stdio-{}", process::id()));
        fs::create_dir_all(&place).unwrap();
        let pipes = Self(place);
        let paths = Self::NAMES.map(|name| pipes.0.join(name));
        assert!(process::Command::new("mkfifo").args(paths).status().unwrap().success());
        pipes
    }

    /// While somebody is waited for on a thread, a stopped clock stands still.
    async fn hear(&self, name: &str) -> String {
        let path = self.0.join(name);
        spawn_blocking(|| fs::read_to_string(path)).await.unwrap().unwrap()
    }

    async fn say(&self, name: &str) {
        let path = self.0.join(name);
        spawn_blocking(|| fs::write(path, "now")).await.unwrap().unwrap();
    }
}

impl Drop for Pipes {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[tokio::test(start_paused = true)]
async fn a_child_has_time_to_end() {
    let pipes = Pipes::new();
    let [closed, go_on, done] = Pipes::NAMES.map(|name| pipes.0.join(name).display().to_string());
    let script = format!("cat >/dev/null; echo yes >{closed}; cat {go_on}; echo yes >{done}");
    let client = Client::connect(format!("stdio:sh -c '{script}'")).await.unwrap();
    let closing = tokio::spawn(async move { client.close().await });
    assert_eq!(pipes.hear("closed").await, "yes\n", "its standard input");
    tokio::time::advance(Duration::from_secs(9)).await;
    for _ in 0..100 {
        yield_now().await;
    }
    assert!(!closing.is_finished(), "it is not given up yet");
    pipes.say("go-on").await;
    assert_eq!(pipes.hear("done").await, "yes\n");
    closing.await.unwrap();
}
