"""Mails: written with the same bytes at every try, and handed to a mail server."""

import smtplib
import ssl
from contextlib import ExitStack
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, getaddresses, parseaddr

from alerts.notices import text
from alerts.notices.delivery import DeliveryError, Letter
from alerts.notices.settings import MailSink

_LONGEST = 990  # characters of a line that RFC 5322 lets through unencoded, with some to spare
_WHOLE = SMTP.clone(max_line_length=_LONGEST)  # folded subjects come apart in archives, and unfold with blanks too many


def write(letter: Letter, sink: MailSink) -> EmailMessage:
    """The mail. Its Message-ID comes from the key: whoever gets it twice, after a crash, sees it once."""
    mail = EmailMessage(policy=_WHOLE)
    mail["From"], mail["To"] = sink.sender, ", ".join(sink.to)
    if sink.cc:
        mail["Cc"] = ", ".join(sink.cc)
    mail["Subject"] = subject(letter)
    mail["Date"] = format_datetime(letter.at)
    mail["Message-ID"] = f"<{letter.message_id}>"
    if letter.answers:
        mail["In-Reply-To"] = f"<{letter.answers[-1]}>"
        mail["References"] = " ".join(f"<{one}>" for one in letter.answers)
    mail["Auto-Submitted"] = "auto-generated"  # no vacation answers, please
    mail["X-Kvmperf-Kind"] = letter.kind.value
    said = body(letter, sink.sender)
    is_short = max(map(len, said.splitlines())) <= _LONGEST
    mail.set_content(said, charset="us-ascii", cte="7bit" if is_short else "quoted-printable")
    return mail


def subject(letter: Letter) -> str:
    """The subject of a notice or a digest."""
    if letter.period:
        return text.digest_subject(letter.notices, letter.period, letter.at)
    return text.subject(letter.notices[0])


def body(letter: Letter, reporter: str = "") -> str:
    """The text of a notice or a digest; `reporter` as in `text.body`."""
    if letter.period:
        return text.digest(letter.notices, letter.period, letter.at, letter.dashboard)
    return text.body(letter.notices[0], reporter)


def send(letter: Letter, sink: MailSink) -> str:
    """Hand a mail to the server; who was refused in particular, or an empty string. DeliveryError otherwise."""
    mail = write(letter, sink)
    try:
        with ExitStack() as open_until_sent:
            server = _connected(sink)
            open_until_sent.callback(server.close)  # not quit(): once the server has taken it, nothing may undo that
            if sink.user:
                server.login(sink.user, sink.password)
            addresses = [address for _, address in getaddresses([*sink.to, *sink.cc])]
            refused = server.send_message(mail, parseaddr(sink.sender)[1], addresses)
    except smtplib.SMTPRecipientsRefused as error:
        codes = [code for code, _ in error.recipients.values()]
        raise DeliveryError(
            f"every recipient was refused: {_told(error.recipients)}", for_good=_all_5xx(codes)
        ) from None
    except smtplib.SMTPAuthenticationError as error:
        raise DeliveryError(f"{sink.server} does not know this user or password ({error.smtp_code})") from None
    except (smtplib.SMTPSenderRefused, smtplib.SMTPDataError) as error:
        raise DeliveryError(_line(error.smtp_code, error.smtp_error), for_good=error.smtp_code >= 500) from None
    except smtplib.SMTPResponseException as error:
        raise DeliveryError(_line(error.smtp_code, error.smtp_error)) from None
    except (smtplib.SMTPException, ssl.SSLError, OSError) as error:
        raise DeliveryError(f"{sink.server}:{sink.port}: {_reason(error)}") from None
    return f"refused: {_told(refused)}" if refused else ""


def _connected(sink: MailSink) -> smtplib.SMTP:
    if sink.tls == "tls":
        return smtplib.SMTP_SSL(sink.server, sink.port, timeout=sink.timeout_s, context=_context(sink))
    server = smtplib.SMTP(sink.server, sink.port, timeout=sink.timeout_s)
    if sink.tls == "starttls":
        try:
            server.starttls(context=_context(sink))  # refused, or no certificate we trust: nothing is sent in the open
        except Exception:
            server.close()
            raise
    return server


def _context(sink: MailSink) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=sink.ca_file or None)


def _told(refused: dict[str, tuple[int, bytes]]) -> str:
    return ", ".join(f"{address}: {_line(*answer)}" for address, answer in sorted(refused.items()))


def _line(code: int, said: bytes | str) -> str:
    return f"{code} {said.decode('ascii', 'replace') if isinstance(said, bytes) else said}"


def _all_5xx(codes: list[int]) -> bool:
    return all(code >= 500 for code in codes)


def _reason(error: Exception) -> str:
    if isinstance(error, TimeoutError) or "timed out" in str(error):  # smtplib wraps the one that comes while reading
        return "no answer in time"
    return str(error) or type(error).__name__
