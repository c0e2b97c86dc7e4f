"""An averaged power spectrum by GNU Radio's own blocks: SoapySDR to a Hann window, FFT, power, average.

Without overlap: each sample is transformed once.

    gnuradio_psd.py DEVICE RATE_HZ BINS SAMPLES
"""

import sys

from gnuradio import blocks, fft, gr, soapy
from gnuradio.fft import window

# Spectra that are averaged into one.
AVERAGED = 1024


def main(device, rate_hz, bins, samples):
    """Takes so many samples and throws the averages away."""
    flow = gr.top_block()
    source = soapy.source(device, "fc32", 1, "", "", [""], [""])
    source.set_sample_rate(0, rate_hz)
    source.set_frequency(0, 2433e6)
    flow.connect(
        source,
        blocks.head(gr.sizeof_gr_complex, samples),
        blocks.stream_to_vector(gr.sizeof_gr_complex, bins),
        fft.fft_vcc(bins, True, window.hann(bins), True, 1),
        blocks.complex_to_mag_squared(bins),
        blocks.integrate_ff(AVERAGED, bins),
        blocks.null_sink(gr.sizeof_float * bins),
    )
    flow.run()


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))
