//! [`RabbitMq`]: a RabbitMQ node, and virtual hosts in it.
//!
//! Everything it needs is said by its environment: neither the files in `/etc/rabbitmq` nor a
//! service of the system, which the package may have started, nor the user are in the way. It has a
//! name server of its own (epmd), as otherwise all nodes of the machine would share one.

use std::path::Path;
use std::process::{self, Command};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::server::{Kind, Server};

/// A RabbitMQ node without plugins; it takes about 5 s to start.
pub type RabbitMq = Server<RabbitMqServer>;

/// What RabbitMQ is like.
#[derive(Debug)]
#[non_exhaustive]
pub struct RabbitMqServer;

/// The node's name is the same for all, as their name servers differ.
const NODE: &str = "trunkline@localhost";

/// Two schedulers which do not spin while they wait, as the tests need the processors; other nodes
/// only over loopback; publishers are not blocked because others fill memory or disk.
const ERLANG: &str = "+S 2:2 +sbwt none +sbwtdcpu none +sbwtdio none \
    -kernel inet_dist_use_interface {127,0,0,1} \
    -rabbit disk_free_limit 1000000 -rabbit vm_memory_high_watermark 0.9";

impl Kind for RabbitMqServer {
    const NAME: &str = "RabbitMQ";
    const PACKAGE: &str = "rabbitmq-server";
    /// Not the one in `/usr/sbin`, which changes to the user `rabbitmq`.
    const PROGRAM: &str = "/usr/lib/rabbitmq/bin/rabbitmq-server";
    /// AMQP 0-9-1; the answer is a method on channel 0.
    const GREETING: (&[u8], &[u8]) = (b"AMQP\0\0\x09\x01", b"\x01\0\0");

    fn uri(port: u16) -> String {
        format!("amqp://guest:guest@127.0.0.1:{port}")
    }

    fn commands(home: &Path, port: u16) -> Vec<Command> {
        let names = erlang("epmd", home, port);
        let mut server = erlang(Self::PROGRAM, home, port);
        server
            // The shell then becomes the server, whose process id is the one that we have.
            .env("RUNNING_UNDER_SYSTEMD", "1")
            .env("RABBITMQ_NODENAME", NODE)
            .env("RABBITMQ_NODE_IP_ADDRESS", "127.0.0.1")
            .env("RABBITMQ_NODE_PORT", port.to_string())
            .env("RABBITMQ_DIST_PORT", (port + 2).to_string())
            .env("RABBITMQ_MNESIA_BASE", home.join("data"))
            .env("RABBITMQ_LOG_BASE", home.join("logs"))
            .env("RABBITMQ_LOGS", "-")
            .env("RABBITMQ_LOG", "warning")
            .env("RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS", ERLANG);
        // None of these files is there. Without folders of plugins to search it starts in half the time.
        for file in ["CONF_ENV_FILE", "CONFIG_FILE", "ADVANCED_CONFIG_FILE", "ENABLED_PLUGINS_FILE"] {
            server.env(format!("RABBITMQ_{file}"), home.join("none"));
        }
        server.env("RABBITMQ_PLUGINS_DIR", home.join("none"));
        vec![names, server]
    }
}

impl RabbitMq {
    /// The URI of a new virtual host, in which the user `guest` may do everything. It is there until
    /// the node's end.
    ///
    /// This takes a third of a second, a quarter of what `rabbitmqctl` takes: what that asks the node
    /// is asked directly.
    ///
    /// # Errors
    ///
    /// Fails when the node refuses or does not answer.
    pub fn vhost(&self) -> Result<String, String> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let time = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs());
        let name = format!("test-{}-{time}-{}", process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        self.ask(&[
            &format!("rabbit_vhost, add, [<<\"{name}\">>, <<\"tests\">>]"),
            &format!(
                "rabbit_auth_backend_internal, set_permissions,
                 [<<\"guest\">>, <<\"{name}\">>, <<\".*\">>, <<\".*\">>, <<\".*\">>, <<\"tests\">>]"
            ),
        ])?;
        Ok(format!("{}/{name}", self.uri()))
    }

    /// Takes no larger bodies than this, on channels that are opened from now on.
    ///
    /// # Errors
    ///
    /// Fails when the node refuses or does not answer.
    pub fn set_max_message_size(&self, bytes: usize) -> Result<(), String> {
        self.ask(&[&format!("application, set_env, [rabbit, max_message_size, {bytes}]")])
    }

    /// Has the node take no messages, as when it is short of memory, or take them again.
    ///
    /// # Errors
    ///
    /// Fails when the node refuses or does not answer.
    pub fn block(&self, blocked: bool) -> Result<(), String> {
        let watermark = if blocked { "0" } else { "0.9" };
        self.ask(&[&format!("vm_memory_monitor, set_vm_memory_high_watermark, [{watermark}]")])
    }

    /// Has the node listen to TLS as well, with a certificate and its key in these files; the URI of
    /// that. It is so until the node's end.
    ///
    /// # Errors
    ///
    /// Fails when the node refuses or does not answer.
    pub fn listen_to_tls(&self, certificate: &Path, key: &Path) -> Result<String, String> {
        let port = self.port() + 3;
        let options = format!("[{{certfile, {certificate:?}}}, {{keyfile, {key:?}}}]");
        self.ask(&[
            "rabbit_networking, ensure_ssl, []",
            &format!("rabbit_networking, start_ssl_listener, [{{\"127.0.0.1\", {port}}}, {options}, 2]"),
        ])?;
        Ok(format!("amqps://guest:guest@127.0.0.1:{port}"))
    }

    /// Calls functions of the node, each written as `module, function, [arguments]`.
    fn ask(&self, calls: &[&str]) -> Result<(), String> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let calls: String = calls.iter().map(|call| format!("Ask({call}), ")).collect();
        let ask = format!(
            "Ask = fun(Module, Function, Args) ->
                 case rpc:call('{NODE}', Module, Function, Args, 60000) of
                     {{Bad, _}} = Answer when Bad =:= badrpc; Bad =:= error ->
                         io:format(\"~p~n\", [Answer]), halt(1);
                     _ -> ok
                 end
             end,
             {calls} halt(0)."
        );
        let name = format!("ask-{}-{}@localhost", process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let mut erl = erlang("erl", self.home(), self.port());
        erl.args(["-noinput", "-hidden", "-dist_listen", "false", "-sname", &name]);
        let done = erl.args(["-eval", &ask]).output();
        let done = done.map_err(|error| format!("cannot start `erl`: {error}"))?;
        if !done.status.success() {
            let answer = String::from_utf8_lossy(&done.stdout).into_owned();
            let errors = String::from_utf8_lossy(&done.stderr);
            return Err(format!("RabbitMQ does not do as it is asked: {}{}", answer.trim(), errors.trim()));
        }
        Ok(())
    }
}

/// A program of Erlang's that finds this node and no other, and is known to it by the cookie in the
/// same home.
fn erlang(program: &str, home: &Path, port: u16) -> Command {
    let mut command = Command::new(program);
    let path = std::env::var_os("PATH").unwrap_or_default();
    command
        .env_clear()
        .env("PATH", path)
        .env("HOME", home)
        .env("ERL_CRASH_DUMP", "/dev/null")
        .env("ERL_EPMD_ADDRESS", "127.0.0.1")
        .env("ERL_EPMD_PORT", (port + 1).to_string());
    command
}
