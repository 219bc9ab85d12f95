"""A mail relay on aiosmtpd: STARTTLS on one port, TLS on another, a login, and one mailbox that does not exist.

Usage: mail.py CERTIFICATE KEY OUTPUT    prints "ready STARTTLS_PORT TLS_PORT PLAIN_PORT"
Each message accepted becomes one JSON line in OUTPUT.
"""

import asyncio
import email
import email.policy
import json
import os
import ssl
import sys
import threading

from aiosmtpd.smtp import SMTP, AuthResult


class Mailbox:
    def __init__(self, path):
        self.path = path

    async def handle_RCPT(self, server, session, envelope, address, options):
        if address.startswith("nobody@"):
            return "550 no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        message = email.message_from_bytes(envelope.content, policy=email.policy.default)
        line = {
            "from": envelope.mail_from, "to": envelope.rcpt_tos, "subject": str(message["subject"]), "id": message["message-id"],
            "text": message.get_content(), "tls": session.ssl is not None or server.transport.get_extra_info("sslcontext") is not None, "importance": message["importance"],
            "defects": [str(defect) for defect in message.defects],
        }
        with open(self.path, "a", encoding="utf-8") as file:
            file.write(json.dumps(line, ensure_ascii=False) + "\n")
        return "250 taken"


def login(server, session, envelope, mechanism, data):
    return AuthResult(success=data.login == b"gateway" and data.password == b"right")


async def main():
    certificate, key, output = sys.argv[1:4]
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    mailbox = Mailbox(output)
    guarded = dict(authenticator=login, auth_required=True)
    relays = [
        (lambda: SMTP(mailbox, tls_context=context, require_starttls=True, **guarded), None),
        (lambda: SMTP(mailbox, auth_require_tls=False, **guarded), context),
        (lambda: SMTP(mailbox), None),
    ]
    loop = asyncio.get_running_loop()
    servers = [await loop.create_server(factory, "127.0.0.1", 0, ssl=tls) for factory, tls in relays]
    threading.Thread(target=lambda: (sys.stdin.read(), os._exit(0)), daemon=True).start()
    print("ready", *(server.sockets[0].getsockname()[1] for server in servers), flush=True)
    await asyncio.Event().wait()


asyncio.run(main())
