//! `cargo xtask interop [KIT]`: published clients, unmodified, against the `interop` example.
//!
//! A kit is a folder under `interop/` with programs for Node.js (`interop/lib` is what they share);
//! its README says what they check. That of therms also has gateways and handlers, which stand beside
//! ours on RabbitMQ.
//! Each ends with the line `N passed, N failed`, and N is known: a check that quietly went missing
//! fails the run as much as one that failed.

mod kit;
mod therms;

use kit::Kit;

use crate::process::{cargo, command, output, run as run_command, succeeds, target};

/// The lowest Node.js that the kits run on.
const NODE: u32 = 20;

const KITS: &[Kit] = &[
    Kit { name: "jsonrpc", server: "", programs: &[("client.mjs", 246), ("vectors.mjs", 1949)] },
    Kit { name: "streams", server: "", programs: &[("client.mjs", 49)] },
    Kit {
        name: "therms",
        server: " --http 127.0.0.1:0 --ws 127.0.0.1:0",
        programs: &[("client.mjs --mode single --beyond --h2", 92)],
    },
];

/// Runs the kits named in `args`, or all.
///
/// `--spawn COMMAND` plays them against another server than the example: the kit's own, say, with
/// `--spawn "node server.mjs"`. The command runs in the kit's folder; what takes several servers is
/// left out then.
pub(crate) fn run(args: &[String]) -> Result<(), String> {
    let (mut kits, mut spawn) = (Vec::new(), None);
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        if arg == "--spawn" {
            spawn = Some(args.next().ok_or("--spawn needs a command that starts a server")?.clone());
        } else {
            let kit = KITS.iter().find(|kit| kit.name == arg);
            kits.push(kit.ok_or_else(|| unknown(arg))?);
        }
    }
    if kits.is_empty() {
        kits.extend(KITS);
    }
    need_node()?;
    if spawn.is_none() {
        run_command(&mut cargo([
            "build",
            "--release",
            "--package",
            "trunkline",
            "--features",
            "amqp,gzip",
            "--example",
            "interop",
        ]))?;
    }
    let example = target().join("release/examples/interop").display().to_string();
    for kit in kits {
        kit.install()?;
        let server = spawn.clone().unwrap_or_else(|| format!("{example} {}{}", kit.name, kit.server));
        for &program in kit.programs {
            kit.play(program, ["--spawn", &server])?;
        }
        if kit.name == "therms" && spawn.is_none() {
            therms::clusters(kit, &example)?;
        }
    }
    Ok(())
}

fn need_node() -> Result<(), String> {
    let wanted = format!(
        "Node.js {NODE} or later with npm: see nodejs.org, or on Debian 13 or later `apt-get install nodejs npm`"
    );
    let version =
        output(&mut command("node", ["--version"])).map_err(|why| format!("{why}. This needs {wanted}"))?;
    if major(&version).is_none_or(|major| major < NODE) {
        return Err(format!("node is {}, but this needs {wanted}", version.trim()));
    }
    if succeeds(&mut command("npm", ["--version"])) {
        Ok(())
    } else {
        Err(format!("npm is missing; this needs {wanted}"))
    }
}

/// The first number of a version like `v20.20.2`.
fn major(version: &str) -> Option<u32> {
    version.trim().strip_prefix('v')?.split('.').next()?.parse().ok()
}

/// Makes sure that the programs of the kit `name` can be run.
pub(crate) fn install_kit(name: &str) -> Result<(), String> {
    need_node()?;
    KITS.iter().find(|kit| kit.name == name).ok_or_else(|| unknown(name))?.install()
}

fn unknown(name: &str) -> String {
    format!("there is no kit `{name}` under interop/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_of_node_is_read() {
        assert_eq!(major("v20.20.2\n"), Some(20));
        assert_eq!(major("20"), None);
    }

    #[test]
    fn a_kit_that_does_not_exist_is_refused() {
        assert!(run(&["threms".to_owned()]).unwrap_err().contains("no kit `threms`"));
    }
}
