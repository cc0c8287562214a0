/*
 * event_text.h - an event as hooks get it: JSON, and words for a person
 *                (towerify-hooks(7))
 */
#ifndef TW_ENGINE_EVENT_TEXT_H
#define TW_ENGINE_EVENT_TEXT_H

#include "model/event.h"

/* Appends one object, on one line.  What is no UTF-8 or no plain character is
 * \xNN in it. */
enum tw_status tw_event_json(const struct tw_event *e, struct tw_buf *out,
    struct tw_err *err);

/* One line: what happened where. */
void tw_event_subject(const struct tw_event *e, struct tw_buf *out);
/* All that a person needs, and what to do next. */
void tw_event_text(const struct tw_event *e, struct tw_buf *out);

#endif
