//! [`Kit`]: one folder under `interop/`.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use crate::process::{command, root, run, shown};

/// Programs for Node.js that check a server, and peers of it.
pub(super) struct Kit {
    pub(super) name: &'static str,
    /// What the example takes besides the name.
    pub(super) server: &'static str,
    /// Its programs that start the server, with their options, and how many checks each passes.
    pub(super) programs: &'static [Program],
}

/// A program with its options, and how many checks it passes.
pub(super) type Program = (&'static str, u32);

impl Kit {
    /// `program ARGS...`, to be run in the kit's folder.
    pub(super) fn command<'a>(&self, program: &str, args: impl IntoIterator<Item = &'a str>) -> Command {
        let mut command = command(program, args);
        command.current_dir(root().join("interop").join(self.name));
        command
    }

    /// Installs the kit's packages unless those of its lock file are there.
    pub(super) fn install(&self) -> Result<(), String> {
        let folder = root().join("interop").join(self.name);
        let changed = |name: &str| folder.join(name).metadata().and_then(|file| file.modified());
        let installed = changed("node_modules/.package-lock.json");
        match (installed, changed("package-lock.json")) {
            (Ok(installed), Ok(locked)) if installed >= locked => Ok(()),
            _ => run(&mut self.command("npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund"])),
        }
    }

    /// Runs a program, shows what is not `ok`, and compares the closing line with what it must be.
    pub(super) fn play<'a>(
        &self,
        (program, checks): Program,
        more: impl IntoIterator<Item = &'a str>,
    ) -> Result<(), String> {
        play(&mut self.command("node", program.split(' ').chain(more)), checks)
    }
}

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
    fn a_program_must_close_with_the_count_that_is_known() {
        let says = |text: &str| command("printf", [text]);
        assert_eq!(play(&mut says("ok a\n3 passed, 0 failed\n"), 3), Ok(()));
        assert!(play(&mut says("ok a\n2 passed, 0 failed\n"), 3).unwrap_err().contains("should close with"));
        assert!(play(&mut says("not ok a\n2 passed, 1 failed\n"), 3).is_err());
        assert!(play(&mut says(""), 3).is_err());
    }
}
