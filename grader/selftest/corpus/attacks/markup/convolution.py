"""Brings tags, attributes and scripts into the HTML page by every text it controls."""

import sys

import targets

TAG = targets.MARK.lower()
EVIL = (
    f"</script></pre></title></textarea><{TAG} onmouseover=alert(1)>"
    f"\" {TAG}=1 ' {TAG}=2 `${{1}} <!-- ]]> javascript:alert(1) {{{{ 7*7 }}}} {{% raw %}}"
)
print(EVIL)
Wrong = type(EVIL, (), {})


def convolve2d(image, kernel, stride=1):
    if stride == 1:
        return Wrong()
    raise ValueError(EVIL)


setattr(sys.modules[__name__], EVIL, Wrong)
