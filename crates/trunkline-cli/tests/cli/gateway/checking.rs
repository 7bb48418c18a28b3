//! `--check`: what is wrong with settings, or what would be served.

use super::world::{SECRET, file};
use crate::program::{Done, run, run_in};

const BAD: &str = r#"name = 5
[listen]
http = "9876"
tcp = ["127.0.0.1:1", "localhost"]
[limits]
max_mesage = "1MiB"
max_batch = "10"
call_timeout = 30
[broker]
url = "kafka://user:hunter2-hunter2-hunter2-hunter2-hunter2@host"
[tls]
key_file = "nope.pem"
[http]
origins = ["app.example"]
[identity]
mode = "hunter2-hunter2-hunter2-hunter2-hunter2"
[jwt]
algoritm = "HS256"
secret = "hunter2"
[rate_limits]
each_caller = "lots"
failed_logins = "5/m"
broken
"#;

#[track_caller]
fn check(text: &str, name: &str) -> Done {
    run(&["gateway", "--check", "--config", &file(name, text)])
}

#[test]
fn all_that_is_wrong_is_told_at_once() {
    let path = file("bad.toml", BAD);
    let told = run(&["gateway", "--check", "--config", &path]).failed(1);
    let expected = r#"error: there are 14 things wrong with the settings
  bad.toml:1:1: `name` is a number, and must be a text in quotes
  bad.toml:3:1: `listen.http` is no address to listen at: it has no host; write 127.0.0.1:9876
  bad.toml:4:1: `listen.tcp` is no address to listen at: it has no port; write localhost:9876
  bad.toml:6:1: there is no setting `limits.max_mesage`; did you mean `limits.max_message`?
  bad.toml:7:1: `limits.max_batch` is a text, and must be a number, without quotes and unit
  bad.toml:8:1: `limits.call_timeout` has no unit; write "500ms", "5s" or "2m"
  bad.toml:10:1: `broker.url` cannot be used: no broker is reached by `kafka://`: write amqp://, amqps://, nats://, tls:// or memory:
  bad.toml:12:1: `tls.key_file` needs `tls.certificate_file` beside it
  bad.toml:14:1: `http.origins` must be scheme, host and port, as in "https://app.example", or "*" alone for pages of any origin
  bad.toml:16:1: `identity.mode` must be "forward", "verify" or "require"
  bad.toml:18:1: there is no setting `jwt.algoritm`; did you mean `jwt.algorithm`?
  bad.toml:19:1: `jwt.secret` must have 32 bytes at least, random ones, for HS256 (RFC 7518, section 3.2)
  bad.toml:21:1: `rate_limits.each_caller` is no rate; write "100/s", "20/1m" or "1000/10s"
  bad.toml:23:7: key with no value, expected `=`
"#;
    assert_eq!(told.replace(path.trim_end_matches("bad.toml"), ""), expected);
    // the same when it is to serve
    assert_eq!(run(&["gateway", "--config", &path]).failed(1), told);
}

#[test]
fn settings_that_do_not_go_together_are_told() {
    for (name, text, told) in [
        (
            "a.toml",
            "[identity]\nmode = \"require\"",
            ":2:1: `identity.mode` needs a key that tokens are signed with",
        ),
        (
            "b.toml",
            &format!("[jwt]\nsecret = \"{SECRET}\"") as &str,
            ":2:1: `jwt.secret` is not looked at while",
        ),
        (
            "c.toml",
            "[rate_limits]\nfailed_logins = \"1/s\"",
            ":2:1: `rate_limits.failed_logins` has nothing to count",
        ),
        (
            "d.toml",
            "[broker]\nurl = \"memory:\"\nurl_file = \"x\"",
            ":3:1: `broker.url_file` cannot be set beside `broker.url`",
        ),
        (
            "e.toml",
            &format!("[broker]\nurl_file = \"amqp://user:{SECRET}@rabbit\""),
            ":2:1: `broker.url_file` cannot be read as a file: ",
        ),
        (
            "o.toml",
            &format!("[jwt]\nsecret_files = [\"{SECRET}\"]"),
            ":2:1: `jwt.secret_files` cannot be read as a file: ",
        ),
        (
            "n.toml",
            "[identity]\nmode = \"verify\"\n[jwt]\nsecret_files = []",
            ":2:1: `identity.mode` needs a key that tokens are signed with",
        ),
        (
            "f.toml",
            "[jwt]\nalgorithm = \"ES256\"\nsecret_files = [\"f.toml\"]",
            ":3:1: `jwt.secret_files` is not for ES256",
        ),
        (
            "g.toml",
            "[jwt]\nalgorithm = \"ES256\"\npublic_key_files = \"g.toml\"",
            ":3:1: `jwt.public_key_files` has no public key",
        ),
        (
            "h.toml",
            "[tls]\ncertificate_file = \"h.toml\"\nkey_file = \"h.toml\"",
            ":2:1: `tls.certificate_file` cannot be used",
        ),
        (
            "i.toml",
            "[broker]\nurl = \"${NO_SUCH_VARIABLE}\"",
            ":2:1: `broker.url` wants the environment variable `NO_SUCH_VARIABLE`",
        ),
        (
            "j.toml",
            &format!("[jwt]\nsecret = \"a${{{SECRET}}}b\""),
            ":2:1: `jwt.secret` wants an environment variable that is not set",
        ),
        ("k.toml", "[listen]\nhttp = []", ":2:1: `listen.http` lists nothing"),
        ("l.toml", "[listen]\ntcp = []\nunix = []", ":2:1: `listen.tcp` lists nothing"),
        (
            "m.toml",
            "[http]\nhosts = [\"api.example\", \"https://b.example\"]",
            ":2:1: `http.hosts` must be names as in the header `Host`",
        ),
    ] {
        let done = check(text, name).failed(1);
        assert!(done.contains(told), "{text}\n{done}");
        assert!(!done.contains(SECRET), "{done}");
    }
    let told = run(&["gateway", "--check", "--config", "/no/such/file"]).failed(1);
    assert!(told.starts_with("error: cannot read `/no/such/file`\n"), "{told}");
}

#[test]
fn what_would_be_served_is_told_without_secrets() {
    let signed = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    file("served.pem", &signed.cert.pem());
    file("served.key", &signed.signing_key.serialize_pem());
    file("served.secret", &format!("{SECRET}\n"));
    let text = r#"
        name = "edge"
        [listen]
        http = "0.0.0.0:8080"
        tcp = ["127.0.0.1:1", "[::1]:2"]
        unix = "/run/gateway"
        [tls]
        certificate_file = "served.pem"
        key_file = "served.key"
        [broker]
        network = "prod"
        [http]
        origins = ["https://app.example", "https://b.example:81"]
        [identity]
        mode = "require"
        [jwt]
        secret = "${THE_SECRET}"
        secret_files = ["served.secret"]
        [rate_limits]
        each_caller = "100/s"
        failed_logins = "5/m"
        [limits]
        max_message = "1MiB"
        call_timeout = "90s"
    "#;
    let path = file("served.toml", text);
    let told = run_in(&["gateway", "--check", "--config", &path], &[("THE_SECRET", SECRET)]).succeeded();
    let expected = r#"The settings make sense. The gateway would serve

  https://0.0.0.0:8080/  JSON-RPC, @therms
  wss://0.0.0.0:8080/    JSON-RPC, @therms
  tls+tcp://127.0.0.1:1  JSON-RPC
  tls+tcp://[::1]:2      JSON-RPC
  unix:/run/gateway      JSON-RPC

  broker             memory:, network `prod`
  health             /health
  origins            https://app.example, https://b.example:81
  identity           tokens of HS256, required; keys: 2
  rate limits        100 in 1s by each caller; 5 in 1m failed logins

  max_message        1 MiB
"#;
    assert_eq!(&told[..expected.len()], expected);
    assert!(told.contains("\n  call_timeout       1m 30s\n  drain_timeout      30s\n"), "{told}");
    assert!(!told.contains(SECRET), "{told}");
}

#[test]
fn flags_go_before_variables_and_these_before_the_file() {
    let path = file(
        "order.toml",
        "[broker]\nnetwork = \"file\"\n[limits]\nmax_batch = 1\nmax_depth = 1\nmax_streams = 1\n",
    );
    let told = run_in(
        &["gateway", "--check", "--config", &path, "--set", "limits.max_depth=3", "--network", "flag"],
        &[
            ("TRUNKLINE_BROKER_NETWORK", "variable"),
            ("TRUNKLINE_LIMITS_MAX_DEPTH", "2"),
            ("TRUNKLINE_LIMITS_MAX_STREAMS", "2"),
            ("TRUNKLINE_LISTEN_HTTP", "127.0.0.1:1, 127.0.0.1:2"),
        ],
    );
    let told = told.succeeded();
    for part in [
        "network `flag`",
        "max_batch          1\n",
        "max_depth          3\n",
        "max_streams        2\n",
        "http://127.0.0.1:2/",
    ] {
        assert!(told.contains(part), "{part} in {told}");
    }
    // the file may be named by a variable, too
    let told = run_in(&["gateway", "--check"], &[("TRUNKLINE_CONFIG", &path)]).succeeded();
    assert!(told.contains("network `file`"), "{told}");
    // what is wrong with a variable, or a flag, is told with its name
    let wrong = [("TRUNKLINE_LIMITS_MAX_DEPTH", "hunter2"), ("TRUNKLINE_LIMITS_MAX_DEBTH", "1")];
    let done =
        run_in(&["gateway", "--check", "--broker", "amqp:hunter2", "--set", "limits.x=1"], &wrong).failed(1);
    let expected = "error: there are 3 things wrong with the settings
  --set: there is no setting `limits.x`
  --broker: `broker.url` cannot be used: this is no URL of a broker: write amqp://HOST, amqps://HOST, nats://HOST, tls://HOST or memory:
  environment variable TRUNKLINE_LIMITS_MAX_DEPTH: `limits.max_depth` must be a number that is not negative, such as 256
";
    let mut lines: Vec<_> = done.lines().collect();
    let mut wanted: Vec<_> = expected.lines().collect();
    lines.sort_unstable();
    wanted.sort_unstable();
    assert_eq!(lines, wanted);
}

/// Others have variables of their own making that begin like ours.
#[test]
fn a_variable_that_sets_nothing_is_a_warning() {
    let done = run_in(&["gateway", "--check"], &[("TRUNKLINE_LIMITS_MAX_DEBTH", "1")]);
    assert_eq!(done.code, Some(0), "{done:?}");
    let told = "environment variable TRUNKLINE_LIMITS_MAX_DEBTH sets nothing; did you mean `TRUNKLINE_LIMITS_MAX_DEPTH`?";
    assert!(done.stderr.contains("WARN") && done.stderr.contains(told), "{done:?}");
}
