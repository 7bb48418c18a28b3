//! Gateways on ports of their own, and their files.

use crate::program::Running;
use serde_json::Value;
use std::{fs, net::SocketAddr, path::PathBuf};
use trunkline::{Client, client::Reconnect, tls::TlsClient};

/// A secret, which no output may ever have in it.
pub(super) const SECRET: &str = "hunter2-hunter2-hunter2-hunter2-hunter2";

/// A file of a test, which is the only one with this name.
pub(super) fn file(name: &str, text: &str) -> String {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("gateway");
    fs::create_dir_all(&folder).unwrap();
    let path = folder.join(name);
    fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

/// A gateway, running beside the test.
pub(super) struct Gateway {
    pub(super) program: Running,
    pub(super) address: SocketAddr,
}

impl Gateway {
    #[track_caller]
    pub(super) fn start(args: &[&str]) -> Self {
        Self::with(args, &[])
    }

    /// The same with variables in its environment.
    #[track_caller]
    pub(super) fn with(args: &[&str], variables: &[(&str, &str)]) -> Self {
        let args = [&["gateway", "--json", "--http", "127.0.0.1:0"], args].concat();
        let mut program = Running::start_with(&args, variables);
        let urls: Value = serde_json::from_str(&program.stdout.next()).expect("JSON");
        let url = urls["http"][0].as_str().expect("an address");
        let (_, address) = url.trim_end_matches('/').split_once("://").expect("a URL");
        Self { program, address: address.parse().unwrap() }
    }

    /// Whether a client that believes only this authority can speak TLS with it.
    pub(super) fn is_trusted(&self, authority: &str) -> bool {
        let tls = TlsClient::with_root_pem(authority.as_bytes()).unwrap();
        let connecting = Client::builder(format!("wss://localhost:{}/", self.address.port()))
            .tls(tls)
            .reconnect(Reconnect::never())
            .connect();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(connecting).is_ok()
    }

    pub(super) fn url(&self, scheme: &str) -> String {
        format!("{scheme}://{}/", self.address)
    }

    /// Asks it to end, and waits until it has. Gives all that it has said.
    #[track_caller]
    pub(super) fn end(mut self) -> String {
        self.program.terminate();
        assert_eq!(self.program.wait().code(), Some(0));
        self.program.stdout.rest() + &self.program.stderr.rest()
    }
}
