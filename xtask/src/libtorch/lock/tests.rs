use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::thread;

use super::Lock;

#[test]
fn the_second_says_so_and_waits_for_the_first() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("lock");
    let first = Lock::acquire(&path, || panic!("nobody holds it")).unwrap();
    let released = AtomicBool::new(false);
    let (waiting, on_waiting) = mpsc::channel();
    thread::scope(|scope| {
        let second = scope.spawn(|| {
            let _lock = Lock::acquire(&path, || waiting.send(()).unwrap()).unwrap();
            assert!(released.load(Ordering::SeqCst), "both held the lock");
        });
        on_waiting.recv().unwrap();
        released.store(true, Ordering::SeqCst);
        drop(first);
        second.join().unwrap();
    });
}

#[test]
fn a_lock_that_was_let_go_can_be_taken_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("lock");
    drop(Lock::acquire(&path, || {}).unwrap());
    Lock::acquire(&path, || panic!("nobody holds it")).unwrap();
}
