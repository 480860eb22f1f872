//! Lines that wait to be written, oldest first, up to a number.

use std::collections::VecDeque;

pub(super) struct Backlog {
    lines: VecDeque<Vec<u8>>,
    room: usize,
    dropped: u64,
}

impl Backlog {
    pub(super) const fn with_room_for(room: usize) -> Self {
        Self { lines: VecDeque::new(), room, dropped: 0 }
    }

    /// Adds a line; where there is no room left, the oldest goes.
    pub(super) fn push(&mut self, line: Vec<u8>) {
        self.lines.push_back(line);
        if self.lines.len() > self.room {
            self.lines.pop_front();
            self.dropped += 1;
        }
    }

    pub(super) fn oldest(&self) -> Option<&[u8]> {
        self.lines.front().map(Vec::as_slice)
    }

    pub(super) fn pop(&mut self) {
        self.lines.pop_front();
    }

    pub(super) fn len(&self) -> usize {
        self.lines.len()
    }

    pub(super) const fn dropped(&self) -> u64 {
        self.dropped
    }
}
