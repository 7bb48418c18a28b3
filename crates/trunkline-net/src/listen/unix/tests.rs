use super::*;
use std::{
    env, process,
    sync::atomic::{AtomicUsize, Ordering::Relaxed},
};

/// A directory of its own for a test, removed in the end.
struct Place(PathBuf);

impl Place {
    fn new() -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let name = format!("trunkline-socket-{}-{}", process::id(), COUNT.fetch_add(1, Relaxed));
        let path = env::temp_dir().join(name);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[tokio::test]
async fn what_is_no_socket_stays_and_is_named() {
    let place = Place::new();
    let (file, directory, link) = (place.path("file"), place.path("directory"), place.path("link"));
    fs::write(&file, "precious").unwrap();
    fs::create_dir(&directory).unwrap();
    std::os::unix::fs::symlink(&file, &link).unwrap();
    for (path, what) in [(&file, "a file"), (&directory, "a directory"), (&link, "a symbolic link")] {
        let error = SocketFile::bind(path).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::AlreadyExists);
        assert!(error.to_string().starts_with(&format!("{} is {what}", path.display())), "{error}");
    }
    assert_eq!(fs::read_to_string(&link).unwrap(), "precious");
    assert!(directory.is_dir());
}

#[tokio::test]
async fn a_socket_is_replaced_once_nobody_listens_at_it() {
    let place = Place::new();
    let path = place.path("socket");
    // as a process leaves it that was killed
    drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
    let (_listener, file) = SocketFile::bind(&path).await.unwrap();
    UnixStream::connect(&path).await.unwrap();
    let error = SocketFile::bind(&path).await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::AddrInUse);
    assert!(error.to_string().contains(&*path.to_string_lossy()), "{error}");
    drop(file);
    assert!(!path.exists());
}

#[tokio::test]
async fn the_socket_of_somebody_else_is_left_alone() {
    let place = Place::new();
    let path = place.path("socket");
    let (_listener, file) = SocketFile::bind(&path).await.unwrap();
    fs::rename(&path, place.path("aside")).unwrap();
    let (_other, others) = SocketFile::bind(&path).await.unwrap();
    drop(file);
    UnixStream::connect(&path).await.unwrap();
    drop(others);
    assert!(!path.exists());
}
