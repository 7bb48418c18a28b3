//! `cargo xtask interop [KIT]`: published clients, unmodified, against the `interop` example.
//!
//! A kit is a folder under `interop/` with programs for Node.js (`interop/lib` is what they share);
//! its README says what they check.
//! Each ends with the line `N passed, N failed`, and N is known: a check that quietly went missing
//! fails the run as much as one that failed.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use crate::process::{cargo, command, output, root, run as run_command, shown, succeeds, target};

/// The lowest Node.js that the kits run on.
const NODE: u32 = 20;

/// One folder under `interop/`.
struct Kit {
    name: &'static str,
    /// What the example takes besides the name.
    server: &'static str,
    /// Its programs, with their options, and how many checks each passes.
    programs: &'static [(&'static str, u32)],
}

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
/// `--spawn "node server.mjs"`. The command runs in the kit's folder.
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
            "gzip",
            "--example",
            "interop",
        ]))?;
    }
    for kit in kits {
        install(kit)?;
        let example = target().join("release/examples/interop");
        let server =
            spawn.clone().unwrap_or_else(|| format!("{} {}{}", example.display(), kit.name, kit.server));
        for &(program, checks) in kit.programs {
            let args: Vec<&str> = program.split(' ').chain(["--spawn", &server]).collect();
            let mut command = in_kit(kit, "node", &args);
            play(&mut command, checks)?;
        }
    }
    Ok(())
}

fn in_kit(kit: &Kit, program: &str, args: &[&str]) -> Command {
    let mut command = command(program, args);
    command.current_dir(root().join("interop").join(kit.name));
    command
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
    install(KITS.iter().find(|kit| kit.name == name).ok_or_else(|| unknown(name))?)
}

fn unknown(name: &str) -> String {
    format!("there is no kit `{name}` under interop/")
}

/// Installs the kit's packages unless those of its lock file are there.
fn install(kit: &Kit) -> Result<(), String> {
    let folder = root().join("interop").join(kit.name);
    let changed = |name: &str| folder.join(name).metadata().and_then(|file| file.modified());
    let installed = changed("node_modules/.package-lock.json");
    match (installed, changed("package-lock.json")) {
        (Ok(installed), Ok(locked)) if installed >= locked => Ok(()),
        _ => run_command(&mut in_kit(kit, "npm", &["ci", "--ignore-scripts", "--no-audit", "--no-fund"])),
    }
}

/// Runs one program, shows what is not `ok`, and compares the closing line with what it must be.
fn play(command: &mut Command, checks: u32) -> Result<(), String> {
    println!("$ {}", shown(command));
    let mut child = command
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| format!("cannot start `{}`: {error}", shown(command)))?;
    let mut last = String::new();
    for line in child.stdout.take().map(BufReader::new).into_iter().flat_map(BufReader::lines) {
        let line = line.map_err(|error| format!("cannot read from `{}`: {error}", shown(command)))?;
        if !line.starts_with("ok ") {
            println!("{line}");
        }
        last = line;
    }
    let status = child.wait().map_err(|error| format!("cannot wait for `{}`: {error}", shown(command)))?;
    let wanted = format!("{checks} passed, 0 failed");
    if last != wanted {
        return Err(format!(
            "`{}` should close with `{wanted}`, not with `{last}` ({status})",
            shown(command)
        ));
    }
    if status.success() { Ok(()) } else { Err(format!("`{}` ended with {status}", shown(command))) }
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
    fn a_program_must_close_with_the_count_that_is_known() {
        let says = |text: &str| command("printf", [text]);
        assert_eq!(play(&mut says("ok a\n3 passed, 0 failed\n"), 3), Ok(()));
        assert!(play(&mut says("ok a\n2 passed, 0 failed\n"), 3).unwrap_err().contains("should close with"));
        assert!(play(&mut says("not ok a\n2 passed, 1 failed\n"), 3).is_err());
        assert!(play(&mut says(""), 3).is_err());
    }

    #[test]
    fn a_kit_that_does_not_exist_is_refused() {
        assert!(run(&["threms".to_owned()]).unwrap_err().contains("no kit `threms`"));
    }
}
