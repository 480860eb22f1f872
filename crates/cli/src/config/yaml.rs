//! YAML text to a [`Node`]: the only module that knows the YAML parser.
//!
//! Anchors, aliases, merge keys and tags are refused: a run's configuration is read by people, who should find every
//! value where it is used. Nesting is limited by the parser, to 255 levels.

use granit_parser::{Event, Parser, ScalarStyle, Span, Tag};

use super::tree::{Content, Entry, Mark, Node, Scalar};

/// Something a text says that we do not read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct YamlFault {
    pub(crate) mark: Mark,
    pub(crate) message: String,
}

/// Reads one document, or names what is wrong with it: the first fault of syntax and every fault before it.
/// A text without a document is an empty section.
pub(crate) fn parse(text: &str) -> Result<Node, Vec<YamlFault>> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if let Some(fault) = nul_byte(text) {
        return Err(vec![fault]);
    }
    let mut builder = Builder::default();
    for event in Parser::new_from_str(text) {
        match event {
            Ok((event, span)) => builder.accept(event, mark(span), span.start == span.end),
            Err(error) => {
                let marker = error.marker();
                let mark = Mark { line: marker.line(), column: marker.col() + 1, width: 1 };
                builder.fault(mark, format!("not YAML: {}", error.info()));
                break;
            }
        }
    }
    if !builder.faults.is_empty() {
        return Err(builder.faults);
    }
    let blank = Content::Scalar(Scalar { text: String::new(), plain: true });
    Ok(builder.root.filter(|root| root.content != blank).unwrap_or_else(Node::empty))
}

fn nul_byte(text: &str) -> Option<YamlFault> {
    let at = text.find('\0')?;
    let line = text[..at].matches('\n').count() + 1;
    let column = text[..at].chars().rev().take_while(|c| *c != '\n').count() + 1;
    Some(YamlFault {
        mark: Mark { line, column, width: 1 },
        message: "a NUL byte, which no text holds".into(),
    })
}

fn mark(span: Span) -> Mark {
    let (start, end) = (span.start, span.end);
    let width = if start.line() == end.line() { end.col().saturating_sub(start.col()).max(1) } else { 1 };
    Mark { line: start.line(), column: start.col() + 1, width }
}

/// Collects events into nodes. Every open list or map waits on the stack for its next part.
#[derive(Default)]
struct Builder {
    stack: Vec<Open>,
    root: Option<Node>,
    documents: usize,
    faults: Vec<YamlFault>,
}

enum Open {
    List { mark: Mark, items: Vec<Node> },
    Map { mark: Mark, entries: Vec<Entry>, key: Option<Key> },
}

enum Key {
    Named(String, Mark),
    /// A key that was refused; its value is dropped with it.
    Refused,
}

impl Builder {
    fn accept(&mut self, event: Event<'_>, mark: Mark, blank: bool) {
        match event {
            Event::DocumentStart(..) => {
                self.documents += 1;
                if self.documents > 1 {
                    self.fault(mark, "a second document starts here; one file holds one configuration");
                }
            }
            Event::Scalar(text, style, anchor, tag) => {
                self.refuse_indirection(anchor, tag.as_deref(), mark);
                let plain = style == ScalarStyle::Plain;
                // The parser says `~` where nothing is written.
                let text = if plain && blank { String::new() } else { text.into_owned() };
                self.attach(Node { mark, content: Content::Scalar(Scalar { text, plain }) });
            }
            Event::SequenceStart(_, anchor, tag) => {
                self.refuse_indirection(anchor, tag.as_deref(), mark);
                self.stack.push(Open::List { mark, items: Vec::new() });
            }
            Event::MappingStart(_, anchor, tag) => {
                self.refuse_indirection(anchor, tag.as_deref(), mark);
                self.stack.push(Open::Map { mark, entries: Vec::new(), key: None });
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(),
            Event::Alias(_) => {
                self.fault(mark, "aliases are not read; write the value out");
                self.attach(Node { mark, ..Node::empty() });
            }
            _ => {}
        }
    }

    fn close(&mut self) {
        let node = match self.stack.pop() {
            Some(Open::List { mark, items }) => Node { mark, content: Content::List(items) },
            Some(Open::Map { mark, entries, .. }) => Node { mark, content: Content::Map(entries) },
            None => return,
        };
        self.attach(node);
    }

    fn attach(&mut self, node: Node) {
        match self.stack.last_mut() {
            None => {
                self.root.get_or_insert(node);
            }
            Some(Open::List { items, .. }) => items.push(node),
            Some(Open::Map { entries, key, .. }) => match key.take() {
                Some(Key::Named(key, mark)) => entries.push(Entry { key, mark, value: node }),
                Some(Key::Refused) => {}
                None => {
                    let read = read_key(&node, entries);
                    *key = Some(read.unwrap_or_else(|message| {
                        self.faults.push(YamlFault { mark: node.mark, message });
                        Key::Refused
                    }));
                }
            },
        }
    }

    fn refuse_indirection(&mut self, anchor: usize, tag: Option<&Tag>, mark: Mark) {
        if anchor != 0 {
            self.fault(mark, "anchors are not read; write the value out where it is used");
        }
        if tag.is_some() {
            self.fault(mark, "tags are not read; put text in quotes to keep it text");
        }
    }

    fn fault(&mut self, mark: Mark, message: impl Into<String>) {
        self.faults.push(YamlFault { mark, message: message.into() });
    }
}

fn read_key(node: &Node, before: &[Entry]) -> Result<Key, String> {
    let Content::Scalar(scalar) = &node.content else {
        return Err("a key is a word, not a list or a section".into());
    };
    if scalar.plain && scalar.text == "<<" {
        return Err("merge keys are not read; write the values out".into());
    }
    if let Some(first) = before.iter().find(|entry| entry.key == scalar.text) {
        return Err(format!("`{}` is given twice, first in line {}", scalar.text, first.mark.line));
    }
    Ok(Key::Named(scalar.text.clone(), node.mark))
}
