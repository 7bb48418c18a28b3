//! The Autobahn test suite itself: finds Python 2.7, installs the suite, starts it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::process::{Running, command, output, run, succeeds};

/// The last release that runs on Python 2.7, and no release since runs on any other.
const RELEASE: &str = "autobahntestsuite==0.8.2";

/// Starts the suite. `addsitedir`, as one of its packages is a namespace package that
/// `PYTHONPATH` does not find; and whatever it listens at, it listens on loopback.
const LAUNCHER: &str = "\
import site, sys, warnings
warnings.simplefilter('ignore')
site.addsitedir(sys.argv.pop(1))
from twisted.internet import reactor
listen = reactor.listenTCP
reactor.listenTCP = lambda port, factory, backlog=50, interface='': listen(port, factory, backlog, '127.0.0.1')
from autobahntestsuite.wstest import run
run()
";

/// An installed suite.
pub(super) struct Suite {
    python: Python,
    folder: PathBuf,
}

impl Suite {
    /// Installs the suite into `folder` unless it is there.
    pub(super) fn install(folder: PathBuf) -> Result<Self, String> {
        let python = Python::find()?;
        let suite = Self { python, folder };
        let packages = suite.folder.join("packages");
        let done = suite.folder.join("installed");
        let failed = |error: std::io::Error| format!("cannot write to {}: {error}", suite.folder.display());
        fs::create_dir_all(&suite.folder).map_err(failed)?;
        fs::write(suite.folder.join("wstest.py"), LAUNCHER).map_err(failed)?;
        if fs::read_to_string(&done).is_ok_and(|release| release == RELEASE) {
            return Ok(suite);
        }
        // What an interrupted installation left would be taken for a whole one.
        if packages.exists() {
            fs::remove_dir_all(&packages).map_err(failed)?;
        }
        fs::create_dir_all(&packages).map_err(failed)?;
        let mut pip =
            suite.python.command(&["-m", "pip", "--disable-pip-version-check", "install", "--quiet"]);
        run(pip.arg("--target").arg(&packages).arg(RELEASE))?;
        output(&mut suite.wstest(&["--autobahnversion"]))?;
        fs::write(&done, RELEASE).map_err(failed)?;
        Ok(suite)
    }

    /// An empty folder for the pages of one run.
    pub(super) fn fresh_folder(&self, name: &str) -> Result<PathBuf, String> {
        let folder = self.folder.join(name);
        let failed = |error: std::io::Error| format!("cannot make {} anew: {error}", folder.display());
        if folder.exists() {
            fs::remove_dir_all(&folder).map_err(failed)?;
        }
        fs::create_dir_all(&folder).map_err(failed)?;
        Ok(folder)
    }

    /// Starts one mode of the suite; `spec` and what it prints are kept in `pages`.
    pub(super) fn start(&self, mode: &str, pages: &Path, spec: &Value) -> Result<Running, String> {
        let failed = |error: std::io::Error| format!("cannot write to {}: {error}", pages.display());
        let file = pages.join("spec.json");
        fs::write(&file, spec.to_string()).map_err(failed)?;
        let log = fs::File::create(pages.join("wstest.log")).map_err(failed)?;
        let errors = log.try_clone().map_err(failed)?;
        let mut wstest = self.wstest(&["--mode", mode, "--webport", "0", "--spec"]);
        Running::start(wstest.arg(file).stdout(log).stderr(errors))
    }

    fn wstest(&self, args: &[&str]) -> Command {
        let mut command = self.python.command(&["-u"]);
        command.arg(self.folder.join("wstest.py")).arg(self.folder.join("packages")).args(args);
        command
    }
}

/// A Python 2.7, by name or by what pyenv calls it.
struct Python {
    program: &'static str,
    pyenv: Option<String>,
}

impl Python {
    /// Looks on the `PATH`, then among the versions of pyenv.
    fn find() -> Result<Self, String> {
        let on_path = ["python2.7", "python2"].map(|program| Self { program, pyenv: None });
        let versions =
            command("pyenv", ["versions", "--bare"]).output().map(|it| it.stdout).unwrap_or_default();
        let versions = String::from_utf8_lossy(&versions).into_owned();
        let of_pyenv = versions.lines().map(str::trim).filter(|version| version.starts_with("2.7"));
        let of_pyenv = of_pyenv.map(|version| Self { program: "python2.7", pyenv: Some(version.to_owned()) });
        on_path.into_iter().chain(of_pyenv).find(Self::works).ok_or_else(|| {
            "the Autobahn suite needs Python 2.7 with pip, and there is none on the PATH or in pyenv. \
             Debian and Ubuntu no longer have it; `pyenv install 2.7.18` builds one"
                .to_owned()
        })
    }

    fn works(&self) -> bool {
        let check = "import sys, pip; sys.exit(sys.version_info[:2] != (2, 7))";
        succeeds(&mut self.command(&["-c", check]))
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = command(self.program, args);
        if let Some(version) = &self.pyenv {
            command.env("PYENV_VERSION", version);
        }
        command
    }
}
