"""The verb `page` of the command line: the live page."""

import typer

from stream.console import fail, load_settings, output


def page() -> None:
    """Serve the live page until Ctrl-C or SIGTERM: alerts as they come and what they are made of, markets, health.

    It reads topics without a group, so that workers do not notice it. All settings come from the environment.

    Example: RISKSTREAM_WORKERS=10.0.0.5:6066,10.0.0.6:6066 riskstream page
    """
    from stream.page.access import AccessError
    from stream.page.page_process import run_page

    settings = load_settings()
    output.print(f"live page at [bold]http://{settings.page_host}:{settings.page_port}/[/]; Ctrl-C stops it")
    try:
        status = run_page(settings)
    except AccessError as wrong:
        raise fail(str(wrong)) from None
    except OSError as wrong:
        raise fail(
            f"RISKSTREAM_PAGE_HOST={settings.page_host}, RISKSTREAM_PAGE_PORT={settings.page_port}: {wrong.strerror};"
            " choose another address or port"
        ) from None
    raise typer.Exit(status)
